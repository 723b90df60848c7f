"""Let work die at every line of chosen modules, one after the other."""

import os
import sys
import traceback

DIED = 77


def die_at_each_line(work, module_files, check, *, step=1, prepare=None):
    """Run `work` again and again, each time dying one line later; call `check` after each death.

    `work` runs in a forked child that ends without any clean-up, as if it had been killed, at
    the k-th line executed in `module_files`. `prepare` and ``check(k)`` run in this process.
    Returns how many times it died before `work` came to its end.
    """
    files = frozenset(map(str, module_files))
    k = 0
    while True:
        if prepare is not None:
            prepare()
        child = os.fork()
        if child == 0:
            _run_and_die(work, files, k)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status == 0:
            return k // step
        assert status == DIED, f"the work failed by itself with status {status} at line {k}"
        check(k)
        k += step


def _run_and_die(work, files, n_lines):
    left = n_lines

    def trace(frame, event, _argument):
        nonlocal left
        if frame.f_code.co_filename not in files:
            return None
        if event == "line":
            if left == 0:
                os._exit(DIED)
            left -= 1
        return trace

    status = 1
    try:
        sys.settrace(trace)
        work()
        sys.settrace(None)
        status = 0
    except BaseException:  # noqa: BLE001 - the status tells
        sys.settrace(None)
        traceback.print_exc()
    finally:
        os._exit(status)
