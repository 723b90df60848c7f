"""The analyzer: a sorting with its recording, and all that is computed from both."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.analyzer import dependencies, planner
from spikeloom.analyzer.analyzer_facts import AnalyzerFacts
from spikeloom.analyzer.extension import (
    AnalyzerExtension,
    get_available_analyzer_extensions,
    get_default_analyzer_extension_params,
    get_extension_class,
)
from spikeloom.analyzer.recording_info import RecordingInfo
from spikeloom.analyzer.stores import AnalyzerStore, MemoryStore
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.recording import BaseRecording
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.errors import MissingExtensionError, ParameterError, UnknownNameError


class SortingAnalyzer(AnalyzerFacts):
    """A sorting with its recording, and the extensions that were computed from them.

    Made by `create_sorting_analyzer` and `load_sorting_analyzer`.

    Parameters
    ----------
    sorting : BaseSorting
        The spikes; in memory.
    recording : BaseRecording or None
        What was sorted, if it is at hand.
    recording_info : RecordingInfo
        What is known of the recording in any case.
    sparsity : ChannelSparsity, optional
        Channels of each unit; None for all.
    return_in_uV : bool
        Whether traces are in microvolts.
    settings : mapping, optional
        ``peak_sign`` and ``peak_mode`` by which main channels were found.
    store : AnalyzerStore, optional
        Where extensions are kept; only in memory by default.
    """

    def __init__(
        self,
        sorting: BaseSorting,
        recording: BaseRecording | None,
        recording_info: RecordingInfo,
        *,
        sparsity: ChannelSparsity | None = None,
        return_in_uV: bool = True,
        settings: Mapping[str, Any] | None = None,
        store: AnalyzerStore | None = None,
    ) -> None:
        super().__init__(sorting, recording_info)
        self.sparsity = sparsity
        self.return_in_uV = return_in_uV
        self.settings = {"peak_sign": "both", "peak_mode": "extremum", **(settings or {})}
        self.store: AnalyzerStore = MemoryStore() if store is None else store
        self.extensions: dict[str, AnalyzerExtension] = {}
        self.recording_error: str | None = None
        """Why the recording could not be opened again; None if it was, or there was none."""
        self.recording_description: dict[str, Any] | None = None
        """How the recording is opened, as far as that was saved, even if it could not be."""
        self.is_lazy = False
        """Whether saved arrays are mapped into memory where that is possible."""
        self._recording = recording
        self._temporary_recording: BaseRecording | None = None
        self._temporary_token: str | None = None
        self._sorting_source: Callable[[], BaseSorting | None] | None = None
        self._hidden: dict[str, set[str]] = {}

    @staticmethod
    def create(
        sorting: BaseSorting, recording: BaseRecording, *args: Any, **kwargs: Any
    ) -> "SortingAnalyzer":
        """Make an analyzer; the same as `spikeloom.create_sorting_analyzer`."""
        from spikeloom.analyzer.creation import create_sorting_analyzer  # noqa: PLC0415

        return create_sorting_analyzer(sorting, recording, *args, **kwargs)

    @staticmethod
    def load(
        folder: str | Path, recording: BaseRecording | None = None, **kwargs: Any
    ) -> "SortingAnalyzer":
        """Open a saved analyzer; see `spikeloom.load_sorting_analyzer`."""
        from spikeloom.analyzer.loading import load_sorting_analyzer  # noqa: PLC0415

        return load_sorting_analyzer(folder, recording=recording, **kwargs)

    # -- what it is made of ------------------------------------------------------------------

    @property
    def format(self) -> str:
        """Where it is kept: memory, binary_folder or zarr."""
        return self.store.format

    @property
    def folder(self) -> Any:
        """Folder or URL; None in memory."""
        return self.store.location

    @property
    def return_scaled(self) -> bool:
        """Whether traces are in microvolts; older name of ``return_in_uV``."""
        return self.return_in_uV

    @property
    def peak_sign(self) -> str:
        """Sign of the peaks by which main channels were found."""
        return str(self.settings["peak_sign"])

    @property
    def peak_mode(self) -> str:
        """How the peaks were measured by which main channels were found."""
        return str(self.settings["peak_mode"])

    @property
    def recording(self) -> BaseRecording:
        """The recording, or the temporary one.

        Raises
        ------
        MissingExtensionError
            If there is none; the message says why.
        """
        if self._recording is not None:
            return self._recording
        if self._temporary_recording is not None:
            return self._temporary_recording
        raise MissingExtensionError(self.why_no_recording())

    def why_no_recording(self) -> str:
        """Return a sentence on why there is no recording, and what to do."""
        why = f" It could not be opened: {self.recording_error}" if self.recording_error else ""
        return (
            f"This analyzer has no recording.{why} Use set_temporary_recording(recording), "
            "or load_sorting_analyzer(folder, recording=recording)."
        )

    def has_recording(self) -> bool:
        """Return whether the recording is at hand."""
        return self._recording is not None

    def has_temporary_recording(self) -> bool:
        """Return whether a temporary recording is set."""
        return self._temporary_recording is not None

    def set_temporary_recording(self, recording: BaseRecording, check_dtype: bool = True) -> None:
        """Use a recording until the end of the session, without saving that.

        Raises
        ------
        ParameterError
            If it differs from the one that was sorted.
        """
        self._check_recording(recording, with_dtype=check_dtype)
        self._temporary_recording = recording
        self._temporary_token = secrets.token_hex(8)

    def recording_token(self) -> str | None:
        """Return what stands for the traces in hashes of results; None if they are those sorted."""
        return None if self.has_recording() else self._temporary_token

    def set_recording(self, recording: BaseRecording) -> None:
        """Use a recording as the one that was sorted; raises ParameterError if it differs."""
        self._check_recording(recording, with_dtype=False)
        self._recording, self.recording_error = recording, None

    def _check_recording(self, recording: BaseRecording, *, with_dtype: bool) -> None:
        found = self.recording_info.differences(recording, with_dtype=with_dtype)
        if found:
            msg = f"The recording does not fit this analyzer: it has {', '.join(found)}."
            raise ParameterError(msg)

    def is_sparse(self) -> bool:
        """Return whether each unit has channels of its own."""
        return self.sparsity is not None

    def is_read_only(self) -> bool:
        """Return whether nothing may be saved."""
        return self.store.is_read_only

    def set_sorting_property(
        self,
        key: str,
        values: ArrayLike | None,
        ids: Iterable[Any] | None = None,
        missing_value: object = None,
        save: bool = True,
    ) -> None:
        """Set a property of the units, and save it where the analyzer is kept."""
        if save:
            self._require_writable()
        self.sorting.set_property(key, values, ids=ids, missing_value=missing_value)
        if save:
            self.store.write_sorting_property(key, self.sorting.get_property(key))

    def get_sorting_provenance(self) -> BaseSorting | None:
        """Return the sorting that this one was copied from, if it can be opened; else None."""
        if self._sorting_source is not None:
            return self._sorting_source()
        return self.store.read_sorting_source()

    def set_sorting_source(self, source: Callable[[], BaseSorting | None] | None) -> None:
        """Set what returns the sorting that this one was copied from."""
        self._sorting_source = source

    @property
    def main_channel_indices(self) -> NDArray[np.int64]:
        """Position of the main channel of each unit; shape (n_units,)."""
        ids = self.sorting.get_property("main_channel_id")
        if ids is None:
            from spikeloom.analyzer.main_channels import find_main_channels  # noqa: PLC0415

            return find_main_channels(self)
        return self.channel_ids_to_indices(ids)

    def get_main_channels(
        self, outputs: Literal["index", "id"] = "index", with_dict: bool = False
    ) -> Any:
        """Return the main channel of each unit, as an array or as a dictionary by unit id."""
        channels: NDArray[Any] = self.main_channel_indices
        if outputs == "id":
            channels = self.channel_ids[channels]
        if not with_dict:
            return channels
        return dict(zip(self.unit_ids.tolist(), channels.tolist(), strict=True))

    # -- extensions --------------------------------------------------------------------------

    def compute(
        self,
        input: str | Mapping[str, Any] | Sequence[str],  # noqa: A002 - SpikeInterface's name
        save: bool = True,
        extension_params: Mapping[str, Mapping[str, Any]] | None = None,
        verbose: bool = False,
        *,
        force_recompute: bool = True,
        compute_parents: bool = False,
        **kwargs: Any,
    ) -> AnalyzerExtension | None:
        """Compute extensions.

        What depends on something that is computed anew is not valid any more, and goes.

        Parameters
        ----------
        input : str, list of str, or dict
            A name; several names; or names with their parameters.
        save : bool, default True
            Keep the results where the analyzer is kept. False changes nothing there.
        extension_params : dict, optional
            Parameters by name, for a list of names.
        verbose : bool, default False
            Say more.
        force_recompute : bool, default True
            Compute what is asked for in any case. With False, what was computed with the same
            parameters, of what is there now, is left as it is, also if something in it was drawn
            without a seed.
        compute_parents : bool, default False
            Compute what is needed and not there, too: with its default parameters, or with those
            that it had if it just became invalid. Without, that is an error.
        **kwargs
            Parameters, if `input` is one name; job options, see
            `spikeloom.set_global_job_kwargs`.

        Returns
        -------
        AnalyzerExtension or None
            The extension, if `input` is one name.

        Raises
        ------
        MissingExtensionError
            If something is needed that is not there.
        UnknownNameError
            If there is no such extension.
        ParameterError
            If a parameter makes no sense.
        """
        requests, job_kwargs = planner.requests_of(input, extension_params, kwargs)
        if save:
            self._require_writable()
        planner.compute(
            self,
            requests,
            save=save,
            verbose=verbose,
            job_kwargs=job_kwargs,
            force_recompute=force_recompute,
            compute_parents=compute_parents,
        )
        return self.get_extension(input) if isinstance(input, str) else None

    def compute_one_extension(
        self, extension_name: str, save: bool = True, verbose: bool = False, **kwargs: Any
    ) -> AnalyzerExtension:
        """Compute one extension and return it; see `compute`."""
        computed = self.compute(extension_name, save=save, verbose=verbose, **kwargs)
        return computed if computed is not None else self.extensions[extension_name]

    def compute_several_extensions(
        self,
        extensions: Mapping[str, Any],
        save: bool = True,
        verbose: bool = False,
        **job_kwargs: Any,
    ) -> None:
        """Compute extensions, given with their parameters; see `compute`."""
        self.compute(dict(extensions), save=save, verbose=verbose, **job_kwargs)

    def get_extension(self, extension_name: str) -> AnalyzerExtension | None:
        """Return an extension, loaded if it was saved; None if it is not there."""
        if extension_name in self.extensions:
            return self.extensions[extension_name]
        if not dependencies.is_known(self, extension_name):
            if extension_name in self.get_saved_extension_names():
                msg = (
                    f"The extension {extension_name!r} is saved in {self.folder}, but its class is "
                    "unknown here: import the package that registers it first."
                )
                raise UnknownNameError(msg)
            get_extension_class(extension_name)  # a mistyped name is an error, not an absence
        if extension_name in self.get_saved_extension_names():
            return self.load_extension(extension_name)
        return None

    def load_extension(self, extension_name: str) -> AnalyzerExtension:
        """Load a saved extension and return it."""
        extension = get_extension_class(extension_name)(self)
        self.store.read_extension(extension, lazy=self.is_lazy)
        if extension.need_backward_compatibility_on_load:
            extension._handle_backward_compatibility_on_load()
        self.extensions[extension_name] = extension
        return extension

    def load_all_saved_extension(self) -> None:
        """Load all saved extensions; those of unknown classes are left as they are."""
        for name in self.get_saved_extension_names():
            if name not in self.extensions and dependencies.is_known(self, name):
                self.load_extension(name)

    def has_extension(self, extension_name: str) -> bool:
        """Return whether an extension is there, in memory or saved."""
        if extension_name in self.extensions:
            return True
        return extension_name in self.get_saved_extension_names()

    def delete_extension(self, extension_name: str) -> None:
        """Delete an extension, in memory and where the analyzer is kept."""
        self._require_writable()
        self.store.delete_extension(extension_name)
        self.extensions.pop(extension_name, None)
        self._hidden.pop(extension_name, None)

    def hide_saved(self, names: Iterable[str], cause: str) -> None:
        """Take saved extensions for absent, as `cause` was computed anew without being saved."""
        for name in names:
            self._hidden.setdefault(name, set()).add(cause)

    def show_saved(self, names: Iterable[str]) -> None:
        """Take saved extensions for what they are again."""
        for name in names:
            self._hidden.pop(name, None)

    def outdated_by(self, extension_name: str) -> list[str]:
        """Return what is saved, but not seen any more, since an extension was computed anew."""
        hidden = self._hidden.items()
        return [name for name, causes in hidden if extension_name in causes - {name}]

    def get_saved_extension_names(self) -> list[str]:
        """Return the names of the extensions that are saved."""
        return [name for name in self.store.extension_names() if name not in self._hidden]

    def get_loaded_extension_names(self) -> list[str]:
        """Return the names of the extensions that are in memory."""
        return list(self.extensions)

    def get_computable_extensions(self) -> list[str]:
        """Return the names of all extensions that there are."""
        return get_available_analyzer_extensions()

    def get_default_extension_params(self, extension_name: str) -> dict[str, Any]:
        """Return the parameters of an extension and their defaults."""
        return get_default_analyzer_extension_params(extension_name)

    def get_metrics_extension_data(self) -> Any:
        """Return the tables of all metrics that were computed, side by side, as pandas has it."""
        import pandas as pd  # noqa: PLC0415 - tables are for the edge

        names = ("quality_metrics", "template_metrics", "spiketrain_metrics")
        tables = [self.extensions[name].get_data() for name in names if self.get_loaded(name)]
        if not tables:
            return pd.DataFrame(index=self.unit_ids)
        joined = pd.concat(tables, axis=1)
        return joined.loc[:, ~joined.columns.duplicated()]

    def get_loaded(self, extension_name: str) -> AnalyzerExtension | None:
        """Return an extension if it is there, without complaining about unknown names."""
        if self.has_extension(extension_name) and dependencies.is_known(self, extension_name):
            return self.get_extension(extension_name)
        return None

    def _require_writable(self) -> None:
        if self.is_read_only():
            msg = "This analyzer is read-only; use save=False, or save_as(...) a copy."
            raise ParameterError(msg)

    # -- other analyzers ---------------------------------------------------------------------

    def save_as(
        self,
        format: str = "memory",
        folder: str | Path | None = None,
        backend_options: Mapping[str, Any] | None = None,
        overwrite: bool = False,
    ) -> "SortingAnalyzer":
        """Save it, with all extensions, in another format or place, and return the saved one."""
        from spikeloom.analyzer.copies import saved_as  # noqa: PLC0415 - knows this class

        return saved_as(self, format, folder, backend_options=backend_options, overwrite=overwrite)

    def copy(self) -> "SortingAnalyzer":
        """Return a copy in memory."""
        return self.save_as(format="memory")

    def select_units(
        self, unit_ids: Iterable[Any], format: str = "memory", folder: str | Path | None = None
    ) -> "SortingAnalyzer":
        """Return an analyzer of some units, with all extensions."""
        from spikeloom.analyzer.copies import with_units  # noqa: PLC0415 - knows this class

        return with_units(self, list(unit_ids), format, folder)

    def remove_units(
        self,
        remove_unit_ids: Iterable[Any],
        format: str = "memory",
        folder: str | Path | None = None,
    ) -> "SortingAnalyzer":
        """Return an analyzer without some units, with all extensions."""
        is_kept = np.ones(self.get_num_units(), bool)
        is_kept[self.sorting.ids_to_indices(list(remove_unit_ids))] = False
        return self.select_units(self.unit_ids[is_kept], format, folder)

    def merge_units(self, merge_unit_groups: Any, *args: Any, **kwargs: Any) -> Any:
        """Return an analyzer in which groups of units are one; see `spikeloom.analyzer.merging`."""
        from spikeloom.analyzer.merging import as_groups, merge_units  # noqa: PLC0415 - knows this

        groups, others = as_groups(merge_unit_groups, args)
        return merge_units(self, groups, *others, **kwargs)

    def split_units(self, split_units: Mapping[Any, Any], *args: Any, **kwargs: Any) -> Any:
        """Return an analyzer in which units are split; see `spikeloom.analyzer.splitting`."""
        from spikeloom.analyzer.splitting import split_units as split  # noqa: PLC0415

        return split(self, split_units, *args, **kwargs)

    def split_by(self) -> dict[Any, "SortingAnalyzer"]:
        """Return an analyzer for each of the groups that it was made of, by the group's key."""
        from spikeloom.analyzer.channel_groups import split_by_group  # noqa: PLC0415 - knows this

        return split_by_group(self)

    def are_units_mergeable(self, merge_unit_groups: Any, *args: Any, **kwargs: Any) -> Any:
        """Return whether groups of units share enough channels to be merged."""
        from spikeloom.analyzer.merging import are_units_mergeable  # noqa: PLC0415

        return are_units_mergeable(self, merge_unit_groups, *args, **kwargs)

    def __repr__(self) -> str:
        parts = [
            f"{self.get_num_channels()} channels",
            f"{self.get_num_units()} units",
            f"{self.get_num_segments()} segments",
            self.format,
            *(["sparse"] if self.is_sparse() else []),
            *(["has recording"] if self.has_recording() else []),
            *(["has temporary recording"] if self.has_temporary_recording() else []),
        ]
        names = self.get_loaded_extension_names()
        listed = f"Loaded {len(names)} extensions: {', '.join(names)}".rstrip()
        return f"SortingAnalyzer: {' - '.join(parts)}\n{listed}"


def copied_sorting(sorting: BaseSorting) -> NumpySorting:
    """Return a sorting in memory, with properties, that does not change with the given one."""
    return NumpySorting.from_sorting(sorting, with_metadata=True, propagate_cache=True)
