"""`drumbeat`: everything that a person or a script starts by hand.

Exit codes: 0 done, 1 something failed or is missing, 2 wrong usage or a wrong setting, 130 Ctrl-C.
"""

import atexit
import contextlib
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from deploy import commands
from shared.errors import DrumbeatError, Misconfigured

FAILED = 1
MISCONFIGURED = 2
INTERRUPTED = 130


def main() -> NoReturn:
    end(run(sys.argv[1:]))


def end(code: int) -> NoReturn:
    """The end of the process, but not Python's own.

    A thread of Temporal's SDK that comes back while Python takes itself apart can abort the
    process, after all was done and said. Nobody can wait for such a thread.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # nobody may be listening any more
            stream.flush()
    os._exit(code)


def run(arguments: Sequence[str]) -> int:
    """The exit code of `drumbeat ARGUMENTS`."""
    try:
        make_app(arguments)(args=list(arguments), prog_name="drumbeat")
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Misconfigured as error:
        _complain(error)
        return MISCONFIGURED
    except DrumbeatError as error:
        _complain(error)
        return FAILED
    return 0


def make_app(arguments: Sequence[str] = ()) -> typer.Typer:
    """The command that the arguments name; every one of them for `--help`."""
    app = typer.Typer(
        help="Outreach campaigns that cannot be wrong about what they did.",
        epilog="Example: drumbeat up",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_keep_the_name)
    for name in _wanted(arguments):
        module = importlib.import_module(f"deploy.commands.{name}")
        if hasattr(module, "run"):
            app.command(name)(module.run)
        else:
            app.add_typer(module.app, name=name)
    return app


def command_names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(commands.__path__))


def _wanted(arguments: Sequence[str]) -> list[str]:
    names = command_names()
    return [arguments[0]] if arguments and arguments[0] in names else names


def _keep_the_name() -> None:
    """With a single command typer would drop its name, unless there is a callback."""


def _complain(error: DrumbeatError) -> None:
    typer.echo(f"drumbeat: {error}", err=True)


if __name__ == "__main__":
    main()
