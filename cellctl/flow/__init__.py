"""The heart: what is where, and what may happen next. Pure: `state = fold(events)`, `decide(state) -> events`.

The runner, the compiler, the deadlock search and the crash search all ask these functions, so that none of them can
believe anything else about the line than the others.
"""
