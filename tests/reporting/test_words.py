"""The sentences at the head of the page."""

from pipeline.reporting.page.words import facts, revisions_text
from pipeline.reporting.report_inputs import RunDescription


def test_rows_of_one_revision_are_named_once() -> None:
    assert revisions_text({("l2", "flowers"): "a1b2", ("lite", "flowers"): "a1b2"}) == "a1b2"
    assert revisions_text({}) == revisions_text({("l2", "flowers"): ""}) == "not recorded"


def test_rows_of_several_revisions_are_each_named() -> None:
    rows = {("l2", "flowers"): "a1b2", ("gray", "flowers"): "a1b2", ("lite", "flowers"): "c3d4-dirty"}
    assert revisions_text(rows) == "rows of 2 revisions: a1b2 (l2, gray), c3d4-dirty (lite)"
    rows |= {("l2", "coco"): "c3d4-dirty", ("lite", "coco"): "c3d4-dirty", ("gray", "coco"): ""}
    assert revisions_text(rows) == (
        "rows of 3 revisions: a1b2 (l2 on flowers, gray on flowers), c3d4-dirty (lite, l2 on coco), "
        "not recorded (gray on coco)"
    )


def test_the_page_shows_the_revision_of_the_rows() -> None:
    shown = dict(facts(RunDescription(revisions={("l2", "flowers"): "a1b2", ("lite", "flowers"): "c3d4"}), [], {}))
    assert shown["Revision"] == "rows of 2 revisions: a1b2 (l2), c3d4 (lite)"
