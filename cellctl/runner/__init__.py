"""The runner: the thin asynchronous shell around `cellctl.flow`. It journals what flow decides, sends the commands,
takes the answers, and lets people in."""
