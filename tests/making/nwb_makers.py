"""Write NWB files array by array, in HDF5 and in zarr."""

import h5py
import numpy as np

from spikeloom.storage.zarr_opening import create_zarr


class Hdf5Maker:
    """Writes arrays with attributes into an HDF5 file."""

    def __init__(self, path):
        self.path = path
        with h5py.File(path, "w") as file:
            file.attrs["nwb_version"] = "2.7.0"

    def group(self, name, **attributes):
        with h5py.File(self.path, "a") as file:
            file.require_group(name).attrs.update(attributes)

    def array(self, name, values, **attributes):
        values = np.asarray(values)
        with h5py.File(self.path, "a") as file:
            if values.dtype.kind == "U":
                values = values.astype(h5py.string_dtype())
            file.create_dataset(name, data=values).attrs.update(attributes)


class ZarrMaker:
    """Writes arrays with attributes into a zarr store."""

    def __init__(self, path):
        self.path = path
        self.root = create_zarr(path)
        self.root.set_attributes({"nwb_version": "2.7.0"})

    def group(self, name, **attributes):
        path = ""
        for part in name.split("/"):
            path = f"{path}/{part}".lstrip("/")
            if path not in self.root:
                self.root.create_group(path)
        if attributes:
            self.root.group(name).set_attributes(attributes)

    def array(self, name, values, **attributes):
        self.group(name.rpartition("/")[0])
        values = np.asarray(values)
        if values.shape == ():
            values = values.reshape(1)
        self.root.write_array(name, values)
        self.root.set_attributes(attributes, name)


def make_nwb(folder, storage):
    """Return what writes an empty NWB file, in ``"hdf5"`` or ``"zarr"``."""
    if storage == "hdf5":
        return Hdf5Maker(folder / "x.nwb")
    return ZarrMaker(folder / "x.nwb.zarr")
