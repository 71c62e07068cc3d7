"""Semantic guidance: the encoder should know what a photograph shows (Qiu et al. as read in SPEC R25; ChromaGAN)."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pipeline.losses.term import Term

if TYPE_CHECKING:
    import torch

    from pipeline.losses.batch import Batch, NetworkOutput


class Semantic(Term):
    """Mean over photographs of KL(teacher || student): 0 where the semantic head agrees with the teacher.

    The student is a linear layer on the mean of the encoder's last features (`network: {semantic_head: true}`), which
    nothing but this term reads. Every photograph is guided, for the teacher reads them all.

    Attributes:
        by: "teacher", a classifier of ImageNet that reads the grey photograph.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"teacher"})

    by: Literal["teacher"] = "teacher"

    def loss(self, output: "NetworkOutput", batch: "Batch") -> "torch.Tensor":
        """The divergence.

        Args:
            output: `semantic`, float (N, 1000), is read.
            batch: `teacher` is read.

        Returns:
            float scalar.
        """
        from torch.nn import functional

        assert output.semantic is not None and batch.teacher is not None
        student = functional.log_softmax(output.semantic, dim=1)
        return functional.kl_div(student, batch.teacher.to(student.dtype), reduction="batchmean")
