"""How a job is spread: the ``job_kwargs`` that everything with chunks takes, and their defaults.

A value comes from the call, else from `set_global_job_kwargs`, else from `DEFAULTS`. The four
ways to say how large a chunk is (``chunk_size``, ``chunk_memory``, ``total_memory``,
``chunk_duration``) exclude each other, so giving one replaces whichever was set before.
"""

import multiprocessing
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import Any

from spikeloom.engine.amounts import bytes_of, seconds_of
from spikeloom.engine.executor import n_usable_cpus
from spikeloom.errors import ParameterError, TransferError

JOB_KEYS = (
    "pool_engine",
    "n_jobs",
    "total_memory",
    "chunk_size",
    "chunk_memory",
    "chunk_duration",
    "progress_bar",
    "mp_context",
    "max_threads_per_worker",
)
"""The names of all job options, in the order in which they are shown."""

CHUNK_KEYS = ("chunk_size", "chunk_memory", "total_memory", "chunk_duration")
"""The options that say how large a chunk is; the first one that is given counts."""

POOL_ENGINES = ("thread", "process", "dask")

OLD_SPELLINGS = {"max_threads_per_process": "max_threads_per_worker"}

N_PROCESSES_MAX_WINDOWS = 61
"""Windows cannot wait for more."""

DEFAULTS: Mapping[str, Any] = {
    # Our kernels and numpy's loops let go of the interpreter lock, and threads need no copies.
    "pool_engine": "thread",
    "n_jobs": 1,
    "chunk_duration": "1s",
    "progress_bar": True,
    "mp_context": None,
    "max_threads_per_worker": 1,
}

JobKwargs = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """The options of one job, checked and complete; see `job_options`."""

    pool_engine: Any = "thread"
    """``"thread"``, ``"process"``, ``"dask"``, or a ``distributed.Client``."""
    n_jobs: int = 1
    """Number of workers. A Dask cluster decides on its own number."""
    total_memory: str | float | None = None
    """Memory of all workers together, e.g. ``"2G"``."""
    chunk_size: int | None = None
    """Samples in a chunk."""
    chunk_memory: str | float | None = None
    """Memory of one worker, e.g. ``"100M"``."""
    chunk_duration: str | float | None = "1s"
    """Length of a chunk, in seconds or with a unit (``"500ms"``)."""
    progress_bar: bool = True
    """Whether progress is shown."""
    mp_context: str | None = None
    """``"fork"``, ``"spawn"``, ``"forkserver"``, or None to choose what is safe."""
    max_threads_per_worker: int | None = 1
    """Threads that linear algebra may use in a worker; None leaves it alone."""

    def __post_init__(self) -> None:
        for field in fields(self):
            check_job_value(field.name, getattr(self, field.name))
        object.__setattr__(self, "n_jobs", resolve_n_jobs(self.n_jobs))


def resolve_n_jobs(n_jobs: float) -> int:
    """Return how many workers `n_jobs` means on this machine.

    Parameters
    ----------
    n_jobs : int or float
        A number of workers; -1 for all processors that this process may use, -2 for all but one,
        and so on; a float above 0 and up to 1 for a share of them.

    Raises
    ------
    ParameterError
        If it is 0 or no such number.

    Examples
    --------
    >>> resolve_n_jobs(3)
    3
    >>> resolve_n_jobs(-1) == resolve_n_jobs(1.0) == n_usable_cpus()
    True
    """
    is_whole = isinstance(n_jobs, Integral) and not isinstance(n_jobs, bool)
    if is_whole and n_jobs != 0:
        return int(n_jobs) if n_jobs > 0 else max(1, n_usable_cpus() + 1 + int(n_jobs))
    if isinstance(n_jobs, Real) and not isinstance(n_jobs, Integral) and n_jobs > 0:
        if n_jobs <= 1:
            return max(1, int(n_jobs * n_usable_cpus()))
        if float(n_jobs).is_integer():
            return int(n_jobs)
    msg = (
        f"n_jobs={n_jobs!r} is no number of workers. Give a whole number (-1 for all processors) "
        "or a float above 0 and up to 1 for a share of them."
    )
    raise ParameterError(msg)


def _check_engine(value: object) -> bool:
    return value in POOL_ENGINES if isinstance(value, str) else hasattr(value, "submit")


def _check_count(value: object) -> bool:
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    return is_whole and int(value) >= 1  # type: ignore[call-overload]


_CHECKS = {
    "pool_engine": (
        _check_engine,
        "Allowed are 'thread', 'process', 'dask', or a distributed.Client.",
    ),
    "chunk_size": (_check_count, "Give a whole number of samples above zero."),
    "progress_bar": (lambda value: value in {True, False}, "Give True or False."),
    "mp_context": (
        lambda value: value in multiprocessing.get_all_start_methods(),
        f"Here are {', '.join(multiprocessing.get_all_start_methods())}; None chooses.",
    ),
    "max_threads_per_worker": (_check_count, "Give a whole number above zero."),
}


def check_job_value(key: str, value: object) -> None:
    """Raise `ParameterError` if `value` cannot be the job option `key`; None means "not given"."""
    if value is None:
        return
    if key == "n_jobs":
        resolve_n_jobs(value)  # type: ignore[arg-type]  # it is what this checks
    elif key in {"chunk_memory", "total_memory"}:
        bytes_of(value)  # type: ignore[arg-type]
    elif key == "chunk_duration":
        seconds_of(value)  # type: ignore[arg-type]
    else:
        is_allowed, advice = _CHECKS[key]
        if not is_allowed(value):
            msg = f"{key}={value!r} is not allowed. {advice}"
            raise ParameterError(msg)


def checked_job_kwargs(given: Mapping[str, Any]) -> JobKwargs:
    """Return the job options that are given, under their current names, without what is None.

    Raises
    ------
    ParameterError
        If an option is unknown, its value is not allowed, or the size of a chunk is given twice.

    Examples
    --------
    >>> checked_job_kwargs({"max_threads_per_process": 2, "chunk_size": None})
    {'max_threads_per_worker': 2}
    """
    named = {OLD_SPELLINGS.get(key, key): value for key, value in given.items()}
    unknown = sorted(set(named) - set(JOB_KEYS))
    if unknown:
        msg = (
            f"{', '.join(unknown)}: no such job option. The job options are {', '.join(JOB_KEYS)}."
        )
        raise ParameterError(msg)
    for key, value in named.items():
        check_job_value(key, value)
    chunk_keys = [key for key in CHUNK_KEYS if named.get(key) is not None]
    if len(chunk_keys) > 1:
        msg = (
            f"{' and '.join(chunk_keys)} say the size of a chunk more than once; give one of them."
        )
        raise ParameterError(msg)
    return {key: value for key, value in named.items() if value is not None}


def _merged(base: Mapping[str, Any], given: Mapping[str, Any]) -> JobKwargs:
    """Return `base` with what is given; a new size of chunks replaces the old one."""
    added = checked_job_kwargs(given)
    dropped = CHUNK_KEYS if any(key in added for key in CHUNK_KEYS) else ()
    merged = {key: value for key, value in base.items() if key not in dropped} | added
    return {key: merged[key] for key in JOB_KEYS if key in merged}


_global_kwargs: JobKwargs = dict(DEFAULTS)
_is_set = False


def set_global_job_kwargs(**job_kwargs: Any) -> None:  # noqa: ANN401 - options of many types
    """Set job options for all jobs of this process to come.

    Parameters
    ----------
    **job_kwargs
        The options, by name; see `JobOptions`. The others stay as they were.

    Raises
    ------
    ParameterError
        If an option is unknown, its value is not allowed, or the size of a chunk is given twice.

    Examples
    --------
    >>> set_global_job_kwargs(n_jobs=16, chunk_duration="5s", progress_bar=False)
    >>> get_global_job_kwargs()["chunk_duration"]
    '5s'
    >>> reset_global_job_kwargs()
    """
    global _global_kwargs, _is_set  # noqa: PLW0603 - this is what the function is for
    _global_kwargs = _merged(_global_kwargs, job_kwargs)
    _is_set = True


def get_global_job_kwargs() -> JobKwargs:
    """Return a copy of the job options that count where a call says nothing else.

    Examples
    --------
    >>> get_global_job_kwargs()["n_jobs"]
    1
    """
    return dict(_global_kwargs)


def reset_global_job_kwargs() -> None:
    """Go back to the defaults.

    Examples
    --------
    >>> reset_global_job_kwargs()
    >>> is_set_global_job_kwargs_set()
    False
    """
    global _global_kwargs, _is_set  # noqa: PLW0603 - this is what the function is for
    _global_kwargs = dict(DEFAULTS)
    _is_set = False


def is_set_global_job_kwargs_set() -> bool:
    """Tell whether `set_global_job_kwargs` was called since the start or the last reset."""
    return _is_set


def get_best_job_kwargs() -> JobKwargs:
    """Return job options that use the whole machine.

    Examples
    --------
    >>> get_best_job_kwargs()["pool_engine"]
    'thread'
    """
    return {"pool_engine": "thread", "n_jobs": n_usable_cpus(), "max_threads_per_worker": 1}


def fix_job_kwargs(runtime_job_kwargs: Mapping[str, Any]) -> JobKwargs:
    """Complete the job options of a call with the global ones.

    Parameters
    ----------
    runtime_job_kwargs : dict
        What the call says; None stands for nothing said.

    Returns
    -------
    dict
        All options, one of the four sizes of a chunk among them. ``n_jobs`` is a number of
        workers from 1 to the number of processors that this process may use.

    Raises
    ------
    ParameterError
        If an option is unknown, its value is not allowed, or the size of a chunk is given twice.

    Examples
    --------
    >>> fixed = fix_job_kwargs({"chunk_size": 1000, "n_jobs": 1})
    >>> fixed["chunk_size"], "chunk_duration" in fixed
    (1000, False)
    """
    fixed = _merged(_global_kwargs, runtime_job_kwargs)
    fixed["n_jobs"] = min(resolve_n_jobs(fixed["n_jobs"]), n_usable_cpus())
    return fixed


def job_options(**job_kwargs: Any) -> JobOptions:  # noqa: ANN401 - options of many types
    """Return the options of a job, completed like `fix_job_kwargs` does, as a value.

    Examples
    --------
    >>> job_options(chunk_duration="500ms", progress_bar=False).chunk_duration
    '500ms'
    """
    only_given: JobKwargs = {"chunk_duration": None}
    return JobOptions(**only_given | fix_job_kwargs(job_kwargs))


def split_job_kwargs(mixed_kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], JobKwargs]:
    """Part keyword arguments into those that are no job options and the complete job options.

    Examples
    --------
    >>> specific, job_kwargs = split_job_kwargs({"n_jobs": 1, "ms_before": 1.5})
    >>> specific
    {'ms_before': 1.5}
    """
    names = {*JOB_KEYS, *OLD_SPELLINGS}
    specific = {key: value for key, value in mixed_kwargs.items() if key not in names}
    return specific, fix_job_kwargs({k: v for k, v in mixed_kwargs.items() if k in names})


def is_serializable(source: object) -> bool:
    """Tell whether a source says that it can be sent to another process; silence means yes."""
    check = getattr(source, "check_serializability", None)
    return check is None or bool(check("memory"))


def ensure_n_jobs(
    extractor: object, n_jobs: float | None = 1, *, pool_engine: str = "process"
) -> int:
    """Return how many workers can work on `extractor`.

    Parameters
    ----------
    extractor : object
        What the workers need; asked for ``check_serializability("memory")`` if it has that.
    n_jobs : int, float or None
        As in `resolve_n_jobs`; None and 0 mean 1.
    pool_engine : str
        Threads share the object, and so need no sending.

    Raises
    ------
    ParameterError
        If `n_jobs` is no number of workers.
    TransferError
        If several processes are asked for and the object cannot be sent to them.

    Examples
    --------
    >>> ensure_n_jobs(object(), None), ensure_n_jobs(object(), 4)
    (1, 4)
    """
    n_workers = resolve_n_jobs(n_jobs or 1)
    if pool_engine != "thread" and n_workers != 1 and not is_serializable(extractor):
        msg = (
            f"{type(extractor).__name__} lives in the memory of this process and cannot be sent to "
            f"{n_workers} others. Save it first, or use pool_engine='thread' or n_jobs=1."
        )
        raise TransferError(msg)
    if pool_engine == "process" and os.name == "nt":
        n_workers = min(n_workers, N_PROCESSES_MAX_WINDOWS)
    return n_workers
