"""Stage `train`: one method's network, from the train split of the train set."""

from pipeline.config import Settings
from pipeline.stages import paths
from pipeline.stages.compose import method_space
from pipeline.store import Store
from pipeline.training import train


def run(settings: Settings, method: str) -> str:
    """Train a method, or continue a training that was stopped.

    Args:
        settings: params.yaml.
        method: a key of `methods`.

    Returns:
        What was done, in a line.

    Raises:
        UserError: if the set or the class table is missing, weights are not there, or the loss is not finite.
    """
    composed = method_space(method)
    last = train(
        settings.methods[method],
        settings.train_of(method),
        settings.run.seed,
        Store(paths.image_set(settings.run.train)),
        composed[1] if composed else None,
        paths.model(method),
        paths.training_report(method),
        paths.CACHE / "train" / method,
    )
    learned = f"{composed[1].kept_count} classes" if composed else "ab"
    return (
        f"{last['photographs']:.0f} images, {learned}, {last['parameters'] / 1e6:.1f}M parameters, "
        f"{last['steps']:.0f} steps, loss {last['loss']:.3f}"
    )
