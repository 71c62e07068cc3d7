"""An image set on disk: tar shards of original bytes beside an index, read by seek (DESIGN section 3)."""

import hashlib
import os
import shutil
import tarfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import UserError
from pipeline.images.decode import decode
from pipeline.storage.tables import STORE_INDEX

INDEX = "index.parquet"
SHARD_BYTES = 1 << 30
BUFFER = 1 << 20
ROWS_TOGETHER = 10_000
_COLUMNS = frozenset(STORE_INDEX.names)


def _template() -> bytes:
    member = tarfile.TarInfo()
    member.mode = 0o644
    return member.tobuf(tarfile.PAX_FORMAT)


_TEMPLATE = _template()
_BETWEEN, _BEHIND = _TEMPLATE[100:124], _TEMPLATE[136:148] + _TEMPLATE[156:]
"""What a header holds between name and length, and behind them, less the checksum."""
_REST = sum(_BETWEEN + _BEHIND) + 8 * ord(" ")


def _shard_name(number: int) -> str:
    return f"images-{number:05d}.tar"


def _tar_header(name: str, length: int) -> bytes:
    """A member's header as tarfile writes it: no time, owner or permission of this machine.

    tarfile takes longer for it than for hashing a small photograph; so where name and length fit the plain header, they
    and the checksum (POSIX ustar: the sum of its bytes, its own eight counted as spaces) are put into one made before.
    """
    plain = name.encode("ascii", "replace")
    if len(plain) >= 100 or not name.isascii() or length >= 8**11:
        member = tarfile.TarInfo(name)
        member.size, member.mode = length, 0o644
        return member.tobuf(tarfile.PAX_FORMAT)
    size = b"%011o\0" % length
    checksum = b"%06o\0 " % (sum(plain) + sum(size) + _REST)
    return plain.ljust(100, b"\0") + _BETWEEN + size + _BEHIND[:12] + checksum + _BEHIND[12:]


def member_name(image_id: str, suffix: str) -> str:
    """What a photograph is called in its shard: WebDataset takes all up to the first dot as the key of a sample.

    Args:
        image_id: the photograph.
        suffix: of its file name, with the dot; "" for what stands before it.
    """
    return image_id.replace(".", "%2E") + suffix


class StoreWriter:
    """Writes a store beside its final place and moves it there when everything is written.

    A context manager: left by an exception, it removes what it wrote and leaves an older store untouched. The bytes
    written depend on the photographs and their order alone: no time, owner or permission enters the archive.

    Args:
        path: the store's folder; an older store there is replaced at the end.
        shard_bytes: a new shard is begun when the current one would outgrow this.
    """

    def __init__(self, path: Path, shard_bytes: int = SHARD_BYTES) -> None:
        self.path = Path(path)
        self._folder = self.path.with_name(f".{self.path.name}.writing")
        self._shard_bytes = shard_bytes
        self._rows: list[dict[str, Any]] = []
        self._index: list[pa.RecordBatch] = []
        self._ids: set[str] = set()
        self._file: BinaryIO | None = None
        self._offset = 0
        self._shards = 0

    def __enter__(self) -> "StoreWriter":
        shutil.rmtree(self._folder, ignore_errors=True)
        self._alone = not self.path.parent.exists()
        self._folder.mkdir(parents=True)
        return self

    def add(self, image_id: str, data: bytes | None, suffix: str = ".png", **columns: Any) -> None:
        """Add one photograph, or the row of one that was refused.

        Args:
            image_id: its name, unique in the store.
            data: its bytes as they came; None for a photograph that was refused and is not kept.
            suffix: the file suffix of the bytes, with the dot.
            **columns: further columns of the index (split, label, width, height, mode, is_grey, status, ...).

        Raises:
            ValueError: if the name is empty or taken, or a column is not in the index.
        """
        if not image_id or image_id in self._ids:
            raise ValueError(f"image_id {image_id!r} is {'taken' if image_id else 'empty'}, it takes a name of its own")
        unknown = columns.keys() - _COLUMNS
        if unknown:
            raise ValueError(f"the index has no column {sorted(unknown)[0]!r}")
        self._ids.add(image_id)
        row = {"split": "", "label": "", "status": "ok"} | columns | {"image_id": image_id}
        if data is not None:
            row |= self._append(image_id, data, suffix) | {"sha256": hashlib.sha256(data).hexdigest()}
        self._rows.append(row)
        if len(self._rows) == ROWS_TOGETHER:
            self._pack_rows()

    def _pack_rows(self) -> None:
        """Rows as mappings take ten times the memory of columns: too much for the millions of a large set."""
        self._index.append(pa.RecordBatch.from_pylist(self._rows, schema=STORE_INDEX))
        self._rows.clear()

    def _append(self, image_id: str, data: bytes, suffix: str) -> dict[str, Any]:
        header = _tar_header(member_name(image_id, suffix), len(data))
        if self._file is None or (self._offset and self._offset + len(data) > self._shard_bytes):
            self._close_shard()
            self._file = (self._folder / _shard_name(self._shards)).open("wb", BUFFER)
            self._offset = 0
            self._shards += 1
        offset = self._offset + len(header)
        padding = bytes(-len(data) % tarfile.BLOCKSIZE)
        self._offset = offset + len(data) + len(padding)
        self._file.write(header)
        self._file.write(data)
        self._file.write(padding)
        return {"shard": _shard_name(self._shards - 1), "offset": offset, "length": len(data)}

    def _close_shard(self) -> None:
        if self._file is not None:
            self._file.write(bytes(2 * tarfile.BLOCKSIZE))
            self._file.close()
            self._file = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close_shard()
        if kind is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            if self._alone:
                with suppress(OSError):
                    self.path.parent.rmdir()
            return
        self._pack_rows()
        index = pa.Table.from_batches(self._index, STORE_INDEX).sort_by("image_id")
        pq.write_table(index, self._folder / INDEX)
        shutil.rmtree(self.path, ignore_errors=True)
        self._folder.rename(self.path)


class ShardReader:
    """Reads bytes out of the tar files of a store; each is opened when it is first read.

    Args:
        folder: the store's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptors: dict[str, int] = {}

    def read(self, shard: str, offset: int, length: int) -> bytes:
        """The bytes of one photograph, by one seek.

        Args:
            shard: name of the tar file.
            offset: where they begin.
            length: how many there are.

        Returns:
            The bytes.

        Raises:
            UserError: if the shard is missing or ends before.
        """
        descriptor = self._descriptors.get(shard)
        if descriptor is None:
            try:
                descriptor = self._descriptors[shard] = os.open(self._folder / shard, os.O_RDONLY)
            except FileNotFoundError:
                raise UserError(f"{self._folder / shard} is missing; run dvc checkout or dvc repro") from None
        data = os.pread(descriptor, length, offset)
        if len(data) != length:
            raise UserError(f"{self._folder / shard} is shorter than its index says; run dvc checkout or dvc repro")
        return data

    def close(self) -> None:
        """Close the tar files; they are opened anew where they are read again."""
        while self._descriptors:
            os.close(self._descriptors.popitem()[1])

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_descriptors": {}}

    def __del__(self) -> None:
        self.close()


class Store:
    """An image set on disk, open for reading. Safe to share between threads and to send to other processes.

    Args:
        path: the store's folder.

    Raises:
        UserError: if there is no store, or its index has other columns than a store's.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        try:
            table = pq.read_table(self.path / INDEX)
        except FileNotFoundError:
            raise UserError(f"{self.path} is no image set: it has no {INDEX}; run dvc repro") from None
        except pa.ArrowInvalid as error:
            raise UserError(f"{self.path / INDEX} cannot be read: {' '.join(str(error).split())}") from None
        if table.schema.names != STORE_INDEX.names:
            raise UserError(f"{self.path / INDEX} has other columns than an image set's index; run dvc repro --force")
        self.index: pd.DataFrame = table.to_pandas().set_index("image_id", drop=False)
        # plain arrays: making a row of the frame takes longer than reading a photograph
        self._shard_codes, self._shard_names = pd.factorize(self.index["shard"])
        self._offsets = self.index["offset"].to_numpy(np.int64, na_value=0)
        self._lengths = self.index["length"].to_numpy(np.int64, na_value=0)
        self._reader = ShardReader(self.path)

    def __len__(self) -> int:
        return len(self.index)

    def rows(self, split: str | None = None, usable: bool = True) -> pd.DataFrame:
        """The rows of the index, ordered by image_id.

        Args:
            split: only this split; None for all.
            usable: only photographs that were accepted.

        Returns:
            A frame with the columns of `tables.STORE_INDEX`, indexed by image_id.
        """
        chosen = self.index
        if split is not None:
            chosen = chosen[chosen["split"] == split]
        return chosen[chosen["status"] == "ok"] if usable else chosen

    def read(self, image_id: str) -> bytes:
        """The bytes of one photograph, by one seek.

        Args:
            image_id: its name.

        Returns:
            The bytes as they came.

        Raises:
            KeyError: if there is no such photograph, or it was refused and not kept.
            UserError: if the shard is missing or shorter than the index says.
        """
        row = self.index.index.get_loc(image_id)
        if self._shard_codes[row] < 0:
            raise KeyError(f"{image_id} was refused ({self.index.at[image_id, 'status']}), its bytes are not kept")
        shard = self._shard_names[self._shard_codes[row]]
        return self._reader.read(shard, int(self._offsets[row]), int(self._lengths[row]))

    def rgb(self, image_id: str) -> npt.NDArray[np.uint8]:
        """One photograph, decoded.

        Args:
            image_id: its name.

        Returns:
            uint8 (height, width, 3), sRGB.

        Raises:
            ImageRefused: if the bytes are no image that can be used.
        """
        return decode(self.read(image_id), image_id).rgb
