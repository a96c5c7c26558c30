"""Turn into another program that ends when its parent does: `python leash.py OPTIONS -- COMMAND`.

A script of its own, and not a function between fork and exec: our parent has threads, and on
Linux the order matters (first give up root, then ask for the signal: the first forgets the second).
"""

import argparse
import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True, help="pid whose end is ours")
    parser.add_argument("--signal", type=int, required=True, help="what we get then; 0: nothing")
    parser.add_argument("--user", help="uid:gid to run as")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(arguments)
    if options.user:
        _become(options.user)
    if options.signal and sys.platform == "linux":
        _follow(options.parent, options.signal)
    os.execvp(options.command[0], options.command)  # noqa: S606  # there is no shell on purpose


def _become(user: str) -> None:
    uid, gid = (int(number) for number in user.split(":"))
    os.setgroups([gid])
    os.setgid(gid)
    os.setuid(uid)


def _follow(parent: int, number: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) was refused")
    if os.getppid() != parent:  # it ended before the line above: no signal will come any more
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
