"""The photographs of a set as files, for programs that know nothing of stores (`huebench sets export`)."""

import shutil
import tarfile
from pathlib import Path, PurePosixPath

from pipeline.color.joining import join
from pipeline.color.lab import lightness
from pipeline.errors import UserError
from pipeline.images.decode import encode_png
from pipeline.machine.progress import progress
from pipeline.storage.store import Store, member_name


def export_set(path: Path, out: Path, split: str | None = None, grey: bool = False) -> int:
    """Write the photographs of a store into a folder, each under its name in the set.

    `import_folder` finds results that keep these names. The folder appears when every photograph is in it.

    Args:
        path: the store.
        out: the folder to write; it may be there if it is empty.
        split: only this split; None for all.
        grey: whether to write what a method is given, the lightness as grey PNG (uint8, one channel: the sRGB level of
            the color without chroma); otherwise the bytes as they came.

    Returns:
        How many photographs were written.

    Raises:
        UserError: if there is no store, the split has no photograph, or the folder is not empty.
    """
    store = Store(path)
    rows = store.rows(split)
    if not len(rows):
        splits = sorted(set(store.rows()["split"]))
        raise UserError(f"{path} has no photograph in split {split!r}; it has {', '.join(splits) or 'none at all'}")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} is there and not empty; export takes a new folder")
    suffixes = {} if grey else _suffixes(store)
    whole = out.with_name(f".{out.name}.writing")
    shutil.rmtree(whole, ignore_errors=True)
    try:
        for image_id in progress(list(rows.index), f"export {path.name}"):
            data = _grey(store, image_id) if grey else store.read(image_id)
            file = whole / f"{_inside(image_id)}{'.png' if grey else suffixes[image_id]}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        if out.exists():
            out.rmdir()
        whole.rename(out)
    finally:
        shutil.rmtree(whole, ignore_errors=True)
    return len(rows)


def _inside(image_id: str) -> str:
    if PurePosixPath(image_id).is_absolute() or ".." in PurePosixPath(image_id).parts:
        raise UserError(f"{image_id!r} leads out of the folder; a photograph of that name is not exported")
    return image_id


def _grey(store: Store, image_id: str) -> bytes:
    return encode_png(join(lightness(store.rgb(image_id)), None)[..., 0])


def _suffixes(store: Store) -> dict[str, str]:
    """The suffix of each photograph's file, which its name in the tar shard ends in."""
    found = {}
    for shard, rows in store.rows().groupby("shard"):
        ids = dict(zip(rows["offset"], rows.index, strict=True))
        with tarfile.open(store.path / str(shard), "r:") as archive:
            for member in archive:
                if member.offset_data in ids:
                    image_id = ids[member.offset_data]
                    found[image_id] = member.name.removeprefix(member_name(image_id, ""))
    return found
