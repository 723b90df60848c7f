"""What an analyzer can compute: extensions, and how one is written.

An extension has a name, parameters, and data (arrays, tables, dictionaries) that it computes from
the sorting, the recording, and other extensions. A class of one derives from `AnalyzerExtension`
and is registered; third parties do so through the entry point group ``spikeloom.extensions``,
which names such a class, or a module that registers some with `register_result_extension`.
"""

import inspect
import weakref
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.analyzer.run_notes import HASH
from spikeloom.analyzer.stores import MemoryStore
from spikeloom.core.class_names import stored_name
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.errors import MissingExtensionError, ParameterError
from spikeloom.registry import Registry

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer
    from spikeloom.analyzer.chunk_pass import ChunkTask
    from spikeloom.core.pipeline_nodes import PipelineNode


def _name_of(thing: Any) -> str | None:
    """Return the name of the class of an extension; None for a module that registers its own."""
    if not isinstance(thing, type):
        return None
    if not issubclass(thing, AnalyzerExtension) or not thing.extension_name:
        msg = f"{thing.__name__} is no AnalyzerExtension with an extension_name."
        raise ParameterError(msg)
    return thing.extension_name


EXTENSIONS: Registry[type["AnalyzerExtension"]] = Registry(
    "analyzer extension", entry_point_group="spikeloom.extensions", name_of=_name_of
)

E = TypeVar("E", bound=type["AnalyzerExtension"])


class AnalyzerExtension:
    """One thing that is computed for a sorting analyzer; to be derived from.

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer
        Whose it is; not kept alive by it.

    Attributes
    ----------
    params : dict
        Parameters that it was computed with.
    data : dict
        What it computed, by name: arrays, pandas tables, dictionaries or plain values.
    run_info : dict
        ``run_completed`` and ``runtime_s``.
    """

    extension_name: ClassVar[str] = ""
    """Name of the extension, under which it is computed and saved."""
    depend_on: ClassVar[list[str]] = []
    """Extensions that have to be there first; ``"a|b"`` for either of two."""
    optional_depend_on: ClassVar[list[str]] = []
    """Extensions that are used if they are there: it becomes invalid with them, too."""
    need_recording: ClassVar[bool] = False
    """Whether it reads traces."""
    use_nodepipeline: ClassVar[bool] = False
    """Whether it reads them chunk by chunk in the pass that it shares with others."""
    nodepipeline_variables: ClassVar[list[str] | None] = None
    """Names of the data that the pass makes."""
    need_job_kwargs: ClassVar[bool] = False
    """Whether its work can be spread."""
    need_backward_compatibility_on_load: ClassVar[bool] = False
    """Whether what older versions saved needs to be changed when it is loaded."""

    def __init__(self, sorting_analyzer: "SortingAnalyzer") -> None:
        self._sorting_analyzer = weakref.ref(sorting_analyzer)
        self._is_to_be_saved = False
        self.params: dict[str, Any] | None = None
        self.data: dict[str, Any] = {}
        self.run_info: dict[str, Any] = {"run_completed": False, "runtime_s": None}

    # -- what a class of an extension says ---------------------------------------------------

    def _set_params(self, *args: Any, **params: Any) -> dict[str, Any]:
        """Return the parameters, checked and complete; the defaults are those of its signature."""
        raise NotImplementedError

    def _run(self, verbose: bool = False, **job_kwargs: Any) -> None:
        """Compute ``self.data``."""
        raise NotImplementedError

    def _get_data(self, *args: Any, **kwargs: Any) -> Any:
        """Return the data in the form that users want."""
        raise NotImplementedError

    def _select_units_extension_data(self, unit_ids: Sequence[Any]) -> dict[str, Any]:
        """Return the data of some units, for an analyzer with these only."""
        raise NotImplementedError

    def _merge_extension_data(
        self,
        merge_unit_groups: Sequence[Sequence[Any]],
        new_unit_ids: Sequence[Any],
        new_sorting_analyzer: "SortingAnalyzer",
        keep_mask: NDArray[np.bool_] | None = None,
        verbose: bool = False,
        **job_kwargs: Any,
    ) -> dict[str, Any]:
        """Return the data for an analyzer in which units were merged."""
        raise NotImplementedError

    def _split_extension_data(
        self,
        split_units: Mapping[Any, Any],
        new_unit_ids: Sequence[Any],
        new_sorting_analyzer: "SortingAnalyzer",
        verbose: bool = False,
        **job_kwargs: Any,
    ) -> dict[str, Any]:
        """Return the data for an analyzer in which units were split."""
        raise NotImplementedError

    def _select_channels_extension_data(self, channel_ids: Sequence[Any]) -> dict[str, Any]:
        """Return the data for some channels."""
        raise NotImplementedError

    def _get_chunk_tasks(self) -> "list[ChunkTask]":
        """Return what it does in the pass over the recording that it shares with others.

        By default, it runs the nodes of ``_get_pipeline_nodes``.
        """
        from spikeloom.analyzer.node_tasks import NodesTask  # noqa: PLC0415 - for those that have any

        return [NodesTask(self.sorting_analyzer.recording, self.get_pipeline_nodes())]

    def _finish_chunk_tasks(self, results: list[Any]) -> None:
        """Set ``self.data`` from what the tasks made.

        By default, what the nodes returned, by the names in ``nodepipeline_variables``.
        """
        names = self.nodepipeline_variables or [self.extension_name]
        if len(names) != len(results[0]):
            msg = (
                f"The nodes of the extension {self.extension_name!r} return {len(results[0])} "
                f"outputs, but nodepipeline_variables names {len(names)}: {names}."
            )
            raise ParameterError(msg)
        self.data.update(zip(names, results[0], strict=True))

    def _get_pipeline_nodes(self) -> "list[PipelineNode]":
        """Return the nodes that make its data of traces as they are in the file.

        See `spikeloom.run_node_pipeline`; for extensions with ``use_nodepipeline``.
        """
        raise NotImplementedError

    def _handle_backward_compatibility_on_load(self) -> None:
        """Bring what an older version saved into today's form."""

    def get_pipeline_nodes(self) -> "list[PipelineNode]":
        """Return the nodes that make its data; for extensions with ``use_nodepipeline``."""
        return self._get_pipeline_nodes()

    # -- dependencies ------------------------------------------------------------------------

    @classmethod
    def get_required_dependencies(cls, **params: Any) -> list[str]:  # noqa: ARG003 - for subclasses
        """Return the extensions that have to be there first, for these parameters."""
        return list(cls.depend_on)

    @classmethod
    def get_optional_dependencies(cls, **params: Any) -> list[str]:  # noqa: ARG003 - for subclasses
        """Return the extensions that are used if they are there."""
        return list(cls.optional_depend_on)

    @classmethod
    def get_dependencies_to_compute(cls, **params: Any) -> list[str]:
        """Return the extensions that are computed on the way if they are not there."""
        return cls.get_required_dependencies(**params)

    @classmethod
    def get_any_dependencies(cls, **params: Any) -> list[str]:
        """Return all extensions that the data may come from."""
        needed = cls.get_required_dependencies(**params) + cls.get_optional_dependencies(**params)
        return [name for alternatives in needed for name in alternatives.split("|")]

    @classmethod
    def get_default_params(cls) -> dict[str, Any]:
        """Return the parameters and their defaults."""
        parameters = inspect.signature(cls._set_params).parameters.values()
        return {
            one.name: None if one.default is one.empty else deepcopy(one.default)
            for one in parameters
            if one.name != "self" and one.kind not in {one.VAR_KEYWORD, one.VAR_POSITIONAL}
        }

    @classmethod
    def check_param_names(cls, params: Mapping[str, Any]) -> None:
        """Raise ParameterError if it has no such parameters."""
        unknown = sorted(name for name in params if not cls.has_param(name))
        if unknown:
            known = ", ".join(cls.get_default_params()) or "none"
            msg = (
                f"The extension {cls.extension_name!r} has no parameter {', '.join(unknown)}. "
                f"It has {known}."
            )
            raise ParameterError(msg)

    @classmethod
    def has_param(cls, name: str) -> bool:
        """Return whether it has, or takes, a parameter of this name."""
        parameters = inspect.signature(cls._set_params).parameters.values()
        takes_any = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters)
        return takes_any or name in cls.get_default_params()

    def may_read_recording(self) -> bool:
        """Return whether its data come from traces with these parameters, or may."""
        return self.need_recording

    def params_asked_for(self) -> dict[str, Any]:
        """Return the parameters by which a result is known again, without what was drawn for it."""
        return dict(self.params or {})

    # -- use ---------------------------------------------------------------------------------

    @property
    def sorting_analyzer(self) -> "SortingAnalyzer":
        """The analyzer that it belongs to."""
        analyzer = self._sorting_analyzer()
        if analyzer is None:
            msg = (
                f"The analyzer of this extension {self.extension_name!r} is gone; keep it as long."
            )
            raise ParameterError(msg)
        return analyzer

    @property
    def sparsity(self) -> ChannelSparsity | None:
        """The channels of each unit in the analyzer; None if it is dense."""
        return self.sorting_analyzer.sparsity

    @property
    def format(self) -> str:
        """Where the analyzer is kept: memory, binary_folder or zarr."""
        return self.sorting_analyzer.format

    @property
    def folder(self) -> Any:
        """Folder or URL of the analyzer; None in memory."""
        return self.sorting_analyzer.folder

    def set_params(self, save: bool = True, **params: Any) -> None:  # noqa: ARG002 - SpikeInterface's
        """Set the parameters, which empties the data; they are saved with the next run."""
        self.check_param_names(params)
        self.params = self._set_params(**params)
        self.data = {}
        self.run_info = {"run_completed": False, "runtime_s": None}

    def run(self, save: bool = True, **kwargs: Any) -> None:
        """Compute it alone, and save it if the analyzer is on disk and `save` is True."""
        from spikeloom.analyzer import planner  # noqa: PLC0415 - knows this class

        if self.params is None:
            self.set_params()
        planner.run_alone(self, save=save, **kwargs)

    def create_array(self, name: str, shape: Sequence[int], dtype: DTypeLike) -> NDArray[Any]:
        """Return zeros that are to become the data `name`, to be filled while it is computed.

        Where results are saved and this one is large, it is not in memory but in the file that
        will hold it. It is for the process that computes: tasks get no such array, but hand over
        their results chunk by chunk.

        Parameters
        ----------
        name : str
            Name among the data.
        shape : sequence of int
            Shape of the array.
        dtype : dtype
            Type of its values.
        """
        store = self.sorting_analyzer.store if self._is_to_be_saved else MemoryStore()
        self.data[name] = store.create_array(self, name, shape, dtype)
        array: NDArray[Any] = self.data[name]
        return array

    def save(self) -> None:
        """Save parameters and data, in one step, if the analyzer is on disk."""
        from spikeloom.analyzer import planner  # noqa: PLC0415 - knows this class

        planner.write(self)

    def get_data(self, *args: Any, **kwargs: Any) -> Any:
        """Return what was computed; raises MissingExtensionError if nothing was."""
        if not self.run_info.get("run_completed"):
            msg = f"The extension {self.extension_name!r} was not run yet: compute it first."
            raise MissingExtensionError(msg)
        return self._get_data(*args, **kwargs)

    def set_data(self, ext_data_name: str, ext_data: Any) -> None:
        """Set one of the data; they are then not what was computed any more."""
        self.data[ext_data_name] = ext_data
        self.run_info.pop(HASH, None)

    def reset(self) -> None:
        """Forget parameters and data, here and on disk."""
        self.params, self.data = None, {}
        self.run_info = {"run_completed": False, "runtime_s": None}
        self.sorting_analyzer.store.delete_extension(self.extension_name)

    def delete(self) -> None:
        """Delete it from the analyzer, in memory and on disk."""
        self.sorting_analyzer.delete_extension(self.extension_name)

    def load_params(self) -> None:
        """Read the parameters from where they are saved; MissingExtensionError if nowhere."""
        self.params = self._saved().params

    def load_data(self) -> None:
        """Read the data from where they are saved."""
        self.data = self._saved().data

    def load_run_info(self) -> None:
        """Read ``run_info`` from where it is saved."""
        self.run_info = self._saved().run_info

    def _saved(self) -> "AnalyzerExtension":
        analyzer = self.sorting_analyzer
        if analyzer.format == "memory":
            msg = f"The analyzer is in memory: the extension {self.extension_name!r} is not saved."
            raise MissingExtensionError(msg)
        saved = type(self)(analyzer)
        analyzer.store.read_extension(saved, lazy=analyzer.is_lazy)
        return saved

    def info(self) -> dict[str, str]:
        """Return class, module and version, as they are saved."""
        return dict(zip(("class", "module", "version"), stored_name(type(self)), strict=True))

    # -- for other analyzers -----------------------------------------------------------------

    def copy(
        self,
        new_sorting_analyzer: "SortingAnalyzer",
        unit_ids: Sequence[Any] | None = None,
        channel_ids: Sequence[Any] | None = None,
    ) -> "AnalyzerExtension":
        """Return the extension of another analyzer, with all of the units or some."""
        if unit_ids is not None:
            data = self._select_units_extension_data(unit_ids)
        elif channel_ids is not None:
            data = self._select_channels_extension_data(channel_ids)
        else:
            data = self.data
        other = self._with_data(new_sorting_analyzer, data)
        if unit_ids is None and channel_ids is None and HASH in self.run_info:
            other.run_info[HASH] = self.run_info[HASH]
        return other

    def merge(
        self,
        new_sorting_analyzer: "SortingAnalyzer",
        merge_unit_groups: Sequence[Sequence[Any]],
        new_unit_ids: Sequence[Any],
        keep_mask: NDArray[np.bool_] | None = None,
        verbose: bool = False,
        **job_kwargs: Any,
    ) -> "AnalyzerExtension":
        """Return the extension of an analyzer in which units were merged."""
        data = self._merge_extension_data(
            merge_unit_groups,
            new_unit_ids,
            new_sorting_analyzer,
            keep_mask,
            verbose=verbose,
            **job_kwargs,
        )
        return self._with_data(new_sorting_analyzer, data)

    def split(
        self,
        new_sorting_analyzer: "SortingAnalyzer",
        split_units: Mapping[Any, Any],
        new_unit_ids: Sequence[Any],
        verbose: bool = False,
        **job_kwargs: Any,
    ) -> "AnalyzerExtension":
        """Return the extension of an analyzer in which units were split."""
        data = self._split_extension_data(
            split_units, new_unit_ids, new_sorting_analyzer, verbose=verbose, **job_kwargs
        )
        return self._with_data(new_sorting_analyzer, data)

    def _with_data(self, analyzer: "SortingAnalyzer", data: dict[str, Any]) -> "AnalyzerExtension":
        other = type(self)(analyzer)
        other.params = deepcopy(self.params)
        other.data = dict(data)
        # It was carried over, which may differ from what would be computed.
        other.run_info = {key: value for key, value in self.run_info.items() if key != HASH}
        return other

    @classmethod
    def function_factory(cls) -> Callable[..., Any]:
        """Return a function that computes the extension and returns its data."""

        def compute(
            sorting_analyzer: Any, load_if_exists: bool | None = None, **kwargs: Any
        ) -> Any:
            analyzer = getattr(sorting_analyzer, "sorting_analyzer", sorting_analyzer)
            if load_if_exists and analyzer.has_extension(cls.extension_name):
                return analyzer.get_extension(cls.extension_name).get_data()
            return analyzer.compute(cls.extension_name, **kwargs).get_data()

        compute.__name__ = f"compute_{cls.extension_name}"
        compute.__doc__ = (
            f"Compute the extension {cls.extension_name!r} of an analyzer and return its data.\n\n"
            f"{cls.__doc__ or ''}"
        )
        return compute


def register_result_extension(extension_class: E) -> E:
    """Register the class of an extension under its name; usable as a decorator.

    Raises
    ------
    DuplicateNameError
        If another class has the name.
    """
    EXTENSIONS.register(extension_class.extension_name, extension_class)
    return extension_class


def get_extension_class(
    extension_name: str,
    auto_import: bool = True,  # noqa: ARG001 - SpikeInterface's, always so here
) -> type[AnalyzerExtension]:
    """Return the class of an extension; raises UnknownNameError, listing the known ones."""
    _register_our_own()
    return EXTENSIONS.get(extension_name)


def get_available_analyzer_extensions() -> list[str]:
    """Return the names of all extensions."""
    _register_our_own()
    return EXTENSIONS.names()


def get_default_analyzer_extension_params(extension_name: str) -> dict[str, Any]:
    """Return the parameters of an extension and their defaults."""
    return get_extension_class(extension_name).get_default_params()


_OUR_MODULES = (
    "spikeloom.analyzer.core_extensions",
    "spikeloom.postprocessing.extensions",
    "spikeloom.metrics.extensions",
)
"""Modules that register our own extensions when they are imported."""


@cache
def _register_our_own() -> None:
    from importlib import import_module  # noqa: PLC0415 - only here

    for name in _OUR_MODULES:
        try:
            import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name and not name.startswith(str(error.name)):
                raise
