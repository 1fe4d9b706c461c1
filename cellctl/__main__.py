"""`python -m cellctl`: the command line, also as the supervisor starts it for each process of a line."""

from cellctl.live.kinship import end_with_parent

if __name__ == "__main__":
    end_with_parent()

    from cellctl.cli.main import main

    main()
