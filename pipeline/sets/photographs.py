"""What every image set is: an entry of params.yaml that knows where its photographs come from, and yields them."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from pipeline.sets.archives import Archive
from pipeline.settings.set_entries import SetEntry


@dataclass(frozen=True)
class Photograph:
    """One file of a set.

    Attributes:
        image_id: its name, unique in the set.
        suffix: the suffix of its file name in lower case, with the dot.
        read: returns its bytes, the same each time.
        split: "train" or "test".
        label: its class, where the set has classes.
        credit: who made it and where it was published.
        licence: under which it may be used.
        refused: the reason why its bytes are not even looked at; "" for none.
    """

    image_id: str
    suffix: str
    read: Callable[[], bytes]
    split: str
    label: str = ""
    credit: str = ""
    licence: str = ""
    refused: str = ""

    def in_split(self, split: str) -> "Photograph":
        """The same photograph in another split.

        Args:
            split: "train" or "test".

        Returns:
            A copy.
        """
        return replace(self, split=split)


class ImageSet(SetEntry):
    """An entry of `sets`, with what is known of its source. Each source is a class of this kind and a line of `SETS`.

    Attributes:
        TITLE: what the set is, in a few words.
        PAGE: where it comes from.
        LICENCE: under what it may be used.
        PARTS: how many photographs each official part has; empty where there are no parts.
        ARCHIVES: the files it comes in; empty where it needs none.
    """

    TITLE: ClassVar[str]
    PAGE: ClassVar[str]
    LICENCE: ClassVar[str]
    PARTS: ClassVar[dict[str, int]] = {}
    ARCHIVES: ClassVar[dict[str, Archive]] = {}

    @abstractmethod
    def photographs(self, folder: Path) -> Iterator[Photograph]:
        """Yield the photographs of this entry, the same ones in the same order each time.

        Args:
            folder: where archives are kept, or have been placed by hand.

        Yields:
            The photographs. What `read` returns has to be there, or be read from a file of its own: other processes
            call it, in any order. So bytes that come out of an open archive are read before they are yielded.

        Raises:
            UserError: if they cannot be had or read.
        """
