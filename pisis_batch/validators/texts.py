"""Findings in words: each code's sentence filled with its facts, a column at a time; identifiers masked on request."""

from __future__ import annotations

from collections.abc import Iterator

from pisis_batch.frames import pl, texts
from pisis_batch.layouts import Layout
from pisis_batch.model import FINDINGS, Findings
from pisis_batch.validators import sentences
from pisis_batch.validators.rule import RULES
from pisis_batch.validators.sentences import HIDDEN, ID_LIKE, INVISIBLE, LONGEST, Language

#: Columns added by `described`.
DESCRIBED = FINDINGS | texts("message", "label", "shown", "title", "remedy")
#: What findings may have in common.
OF_KIND = ("code", "severity", "stage", "record", "field_no", "field", "details")
#: What a sentence depends on, beside the value received and the line.
_KIND = ["code", "record", "field", "details"]
_MANY = 5_000  # findings from which sentences are made by kind
_KNOWN = 5_000  # kinds that are kept for the next findings
_FORMS = 200  # of a code's sentence, up to which it is
_VALUE = "\ufdd0"  # stands for the value received: it is no character, so no text has it


def _pair() -> pl.Expr:
    return pl.concat_str([pl.col("record").fill_null(""), pl.lit("."), pl.col("field").fill_null("")])


def masked(value: pl.Expr) -> pl.Expr:
    """All but the last four characters hidden; a value of four or fewer is hidden whole."""
    hidden = value.str.len_chars().cast(pl.Int64) - 4
    return pl.when(hidden <= 0).then(pl.lit(HIDDEN)).otherwise(pl.lit(HIDDEN) + value.str.tail(4))


def open_to_all(findings: Findings, layout: Layout | None) -> bool:
    """Whether a few findings say nothing that would be masked."""
    ids = layout.ids if layout else frozenset[str]()
    return not any(
        code.startswith("REM") or f"{record}.{field}" in ids or not ID_LIKE.isdisjoint(RULES[code].placeholders)
        for code, _, _, _, record, _, field, _, _ in findings.rows
    )


def described(
    findings: Findings, layout: Layout | None, *, language: Language = "es", mask: bool = False
) -> pl.DataFrame:
    """Findings plus message, label (official field name), shown (value as it may be shown), title and remedy."""
    if findings.few:
        few = sentences.worded(findings.rows, layout, language=language, mask=mask)
        return pl.DataFrame([row[: len(DESCRIBED)] for row in few], schema=DESCRIBED.schema, orient="row")
    frame = findings.frame.with_row_index("_order")
    frame = frame.with_columns(
        label=label(layout), _private=_pair().is_in(_ids(layout)) | pl.col("code").str.starts_with("REM")
    )
    value = pl.col("value").fill_null("")
    shown = pl.when(pl.col("_private") & (value != "")).then(masked(value)).otherwise(value) if mask else value
    frame = frame.with_columns(shown=shown)
    frame = frame.with_columns(as_shown(frame["shown"]))
    kinds = _kinds(frame, language) if frame.height >= _MANY else frame.clear()
    parts = []
    if kinds.height:
        told = pl.col("code").is_in(kinds["code"].unique().implode())
        parts.append(_by_kind(frame.filter(told), kinds, language, mask=mask))
        frame = frame.filter(~told)
    parts += [_worded(part, language, mask=mask) for part in frame.partition_by("code")]
    if not parts:
        return pl.DataFrame(schema=DESCRIBED)
    return (parts[0] if len(parts) == 1 else pl.concat(parts).sort("_order")).drop("_order")


def as_shown(values: pl.Series) -> pl.Series:
    """Values as a report may show them: what cannot be seen is drawn, what is long is cut."""
    odd = values.str.contains(f"\x00|{INVISIBLE}") | (values.str.len_bytes() > LONGEST)
    return values.to_frame().select(_short(_visible(pl.col(values.name)))).to_series() if odd.any() else values


def kinds(
    findings: pl.DataFrame, layout: Layout | None, known: pl.DataFrame | None = None
) -> tuple[pl.DataFrame, pl.Series]:
    """What findings (schema FINDINGS) differ in beside line and value, each once, and for every finding its place there.

    Columns beside those of OF_KIND: label, title, remedy, and the sentence as what stands before the value and after it:
    before and after. No after: the value is not in it. No before: it cannot be made so; see `described`. `known`: the
    kinds of other findings of the file, which then come first and are not worked out again: the same where none is new.
    """
    key = findings.select(key=sum(pl.col(name).hash(seed) for seed, name in enumerate(OF_KIND))).with_row_index("n")
    first = key.unique("key", keep="first", maintain_order=True)
    if known is not None and known.height < _KNOWN:
        first = first.join(known, on="key", how="anti", maintain_order="left")
    else:
        known = None
    told = known
    if told is None or first.height:
        new = _of_kind(findings[first["n"]], layout).with_columns(first["key"])
        told = new if told is None else pl.concat([told, new]).rechunk()
    place = key["key"].replace_strict(told["key"], pl.int_range(told.height, dtype=pl.UInt32, eager=True))
    if all(findings[name].eq_missing(told[name].gather(place)).all() for name in OF_KIND):
        return told, place
    # two met in a number: each by itself
    return _of_kind(findings, layout).with_columns(key["key"]), key["n"]


def _of_kind(findings: pl.DataFrame, layout: Layout | None) -> pl.DataFrame:
    asked = findings.with_columns(value=pl.lit(_VALUE), line=pl.lit(None, dtype=pl.UInt32))
    told = described(Findings(asked), layout)
    parts = told["message"].str.split(_VALUE)
    strange = findings["details"].str.contains(_VALUE, literal=True).fill_null(value=False)
    by_line = findings["code"].is_in([code for code, rule in RULES.items() if "linea" in _placed(rule.es)])
    return told.select(
        *OF_KIND,
        *("label", "title", "remedy"),
        before=pl.when(~by_line & ~strange & (parts.list.len() <= 2)).then(parts.list.first()),  # noqa: PLR2004 sides
        after=parts.list.get(1, null_on_oob=True),
    )


def _kinds(frame: pl.DataFrame, language: Language) -> pl.DataFrame:
    """One finding of each kind, of the codes whose sentence has only a few forms but for the value received."""
    names = {code: _placed(rule.es if language == "es" else rule.en) for code, rule in RULES.items()}
    plain = [code for code, found in names.items() if "linea" not in found and found.count("valor") <= 1]
    kinds = frame.filter(pl.col("code").is_in(plain)).unique(_KIND, keep="first", maintain_order=True)
    strange = pl.col("details").str.contains(_VALUE, literal=True).fill_null(value=False)
    return kinds.filter((pl.len().over("code") <= _FORMS) & ~strange.any().over("code"))


def _by_kind(frame: pl.DataFrame, kinds: pl.DataFrame, language: Language, *, mask: bool) -> pl.DataFrame:
    """The same as `_worded`: a sentence is made for each kind, and then the value received is put in its place."""
    kinds = kinds.with_columns(shown=pl.lit(_VALUE), _order=pl.int_range(pl.len(), dtype=pl.UInt32))
    worded = pl.concat([_worded(part, language, mask=mask) for part in kinds.partition_by("code")])
    around = (
        worded["message"]
        .str.split(_VALUE)
        .to_frame("message")
        .select(before=pl.col("message").list.first(), after=pl.col("message").list.get(1, null_on_oob=True))
    )
    said = pl.concat([worded.select(*_KIND, "title", "remedy"), around], how="horizontal")
    rows = frame.join(said, on=_KIND, how="left", nulls_equal=True, maintain_order="left")
    told = pl.when(pl.col("after").is_not_null()).then(pl.col("shown")).otherwise(pl.lit(""))
    message = pl.concat_str("before", told, pl.col("after").fill_null(""))
    return rows.with_columns(message=message).select("_order", *DESCRIBED)


def label(layout: Layout | None) -> pl.Expr:
    """The official name of the field that a finding is about; its own where it has none, or empty."""
    return _pair().replace_strict(_labels(layout), default=pl.col("field").fill_null(""), return_dtype=pl.String)


def _worded(part: pl.DataFrame, language: Language, *, mask: bool) -> pl.DataFrame:
    """The findings of one code with their sentence."""
    rule = RULES[part["code"][0]]
    names = (*rule.placeholders, "oficial")
    if rule.placeholders or part["details"].str.contains('"oficial"', literal=True).any():
        dtype = pl.Struct(dict.fromkeys((f"d_{n}" for n in names), pl.String))
        decoded = pl.col("details").str.json_decode(pl.Struct(dict.fromkeys(names, pl.String)))
        part = part.with_columns(decoded.struct.rename_fields([f"d_{n}" for n in names]).alias("_d")).unnest("_d")
        part = part.with_columns([_visible(pl.col(f.name).fill_null("")) for f in dtype.fields])
        if mask:
            part = part.with_columns([masked(pl.col(f"d_{n}")).alias(f"d_{n}") for n in names if n in ID_LIKE])
    pieces = list(_pieces(rule.es if language == "es" else rule.en))
    if "d_oficial" in part.columns:
        official = pl.format(sentences.OFFICIAL[language], "d_oficial")
        pieces.append(pl.when(pl.col("d_oficial") != "").then(official).otherwise(pl.lit("")))
    worded = part.with_columns(message=pl.concat_str(pieces), title=pl.lit(rule.title), remedy=pl.lit(rule.remedy))
    return worded.select("_order", *DESCRIBED)


def _placed(template: str) -> list[str]:
    """The names that a template uses, as often as it does."""
    return [name for _, name in sentences.pieces(template) if name]


def _pieces(template: str) -> Iterator[pl.Expr]:
    own = {"valor": "shown", "campo": "label", "linea": "line"}
    for text, name in sentences.pieces(template):
        yield pl.lit(text) if name is None else pl.col(own.get(name, f"d_{name}")).cast(pl.String).fill_null("")


def _visible(text: pl.Expr) -> pl.Expr:
    """Control, bidirectional and invisible characters drawn as ␀ or ⍰."""
    drawn = text.str.replace_all("\t", "⇥", literal=True).str.replace_all("\x00", "␀", literal=True)
    return drawn.str.replace_all(INVISIBLE, "⍰")


def _short(text: pl.Expr) -> pl.Expr:
    """At most 80 characters: a line of a report."""
    return pl.when(text.str.len_chars() > LONGEST).then(text.str.slice(0, LONGEST - 1) + "…").otherwise(text)


def _labels(layout: Layout | None) -> dict[str, str]:
    return layout.labels if layout else {"": ""}


def _ids(layout: Layout | None) -> list[str]:
    return sorted(layout.ids) if layout else []
