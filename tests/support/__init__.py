"""What every runner under tests/ shares: paths, child processes, tools and the count of checks."""

import signal

# Who starts a runner in the background of a shell gives it a SIGINT that is ignored, and so would every child be that
# the tests end with Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
