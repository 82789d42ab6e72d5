"""Replace this process by a command that dies with its parent: `python tied.py SIGNAL PARENT_PID COMMAND…`.

Linux sends the signal (prctl PR_SET_PDEATHSIG) when the parent ends, however it ends; elsewhere the command
runs untied. The file is run by its path and imports the standard library alone, so that it starts at once.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the kernel for the signal, then become the command."""
    death_signal, parent_pid, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != int(parent_pid):
            # The parent ended before the kernel knew of the wish.
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606  The command comes from the launcher, not from a user.


if __name__ == "__main__":
    main()
