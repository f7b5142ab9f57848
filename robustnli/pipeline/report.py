"""From a run's predictions to its tables: per slice, attack strength, transfer, probe, audit. No model is asked here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from robustnli.compare import wilson
from robustnli.metrics import metrics
from robustnli.pipeline.evaluate import compare, comparison_summary, metrics_summary
from robustnli.types import Label, Prediction

DEPTHS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Attacked:
    """One model attacked on every example. `answers`: model -> its predictions of the pairs with one word masked.

    `broke_at`: masks until the attacked model was wrong; 0 wrong before, None never within the deepest attack. `tried` and
    `words_masked` are of that deepest attack.
    """

    answers: dict[str, list[Prediction]]
    broke_at: tuple[int | None, ...]
    tried: tuple[int, ...]
    words_masked: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Scored:
    """A split as the models see it: gold, rows of each slice, clean predictions, each model's attack. Models go from older to newer."""

    name: str
    gold: tuple[Label, ...]
    parts: Mapping[str, Sequence[int]]
    predictions: dict[str, list[Prediction]]
    attacks: dict[str, Attacked]


def build(splits: Sequence[Scored], *, probe: dict[str, Any] | None, audit: dict[str, Any], leaked: int) -> dict[str, Any]:
    """The report. `probe`: right and n of the hypothesis-only probe on test, where one was made; `leaked`: scored rows that were trained on."""
    return {
        "trained_on_scored_rows": leaked,
        "splits": {split.name: _split(split) for split in splits},
        "hypothesis_only": {"accuracy": probe["right"] / probe["n"], "n": probe["n"]} if probe else None,
        "input_formats": audit,
    }


def _split(split: Scored) -> dict[str, Any]:
    sets = {"clean": split.predictions} | {f"masked against {name}": attacked.answers for name, attacked in split.attacks.items()}
    return {
        "n": len(split.gold),
        "models": {
            name: {kind: metrics_summary(metrics(split.gold, said[name])) for kind, said in sets.items()} for name in split.predictions
        },
        "comparisons": [_comparison(split, older, newer) for older, newer in combinations(split.predictions, 2)],
        "attacks": {name: _strength(attacked) for name, attacked in split.attacks.items()},
        "transfer": {
            made: {
                on: sum(p.label == g for p, g in zip(said, split.gold, strict=True)) / len(split.gold)
                for on, said in attacked.answers.items()
            }
            for made, attacked in split.attacks.items()
        },
    }


def _comparison(split: Scored, older: str, newer: str) -> dict[str, Any]:
    """Two models on clean pairs; where they were attacked, on those masked against the older, the newer (the adaptive attack), and on both."""
    n, twice = len(split.gold), {name: [*rows, *(i + len(split.gold) for i in rows)] for name, rows in split.parts.items()}
    made = {name: split.attacks[name].answers for name in (older, newer) if name in split.attacks}
    sets = {"clean": compare(split.gold, split.predictions[older], split.predictions[newer], split.parts)}
    sets |= {f"masked against {name}": compare(split.gold, said[older], said[newer], split.parts) for name, said in made.items()}
    if made:
        before, after = ([p for said in made.values() for p in said[model]] for model in (older, newer))
        sets["masked against either"] = compare([*split.gold, *split.gold], before, after, twice)
    assert all(parts[0].n in (n, 2 * n) for parts in sets.values())
    return {"before": older, "after": newer, "sets": {kind: comparison_summary(parts) for kind, parts in sets.items()}}


def _strength(attacked: Attacked) -> dict[str, Any]:
    """Accuracy under attack and success rate for each depth; success counts the rows that were right before."""
    n = len(attacked.broke_at)
    right = sum(at != 0 for at in attacked.broke_at)
    depths = {}
    for k in DEPTHS:
        broken = sum(at is not None and 0 < at <= k for at in attacked.broke_at)
        depths[str(k)] = {
            "accuracy": (right - broken) / n,
            "success_rate": broken / right if right else None,
            "interval": list(wilson(broken, right)),
        }
    return {
        "n": n,
        "right_before": right,
        "depths": depths,
        "mean_words_masked": sum(attacked.words_masked) / n,
        "predictions_asked": sum(attacked.tried),
    }


def to_markdown(report: dict[str, Any], speed: dict[str, float] | None = None) -> str:
    """The report as tables for a person. `speed`: pairs a second that each model predicts."""
    lines = [f"# {report['title']}" if "title" in report else f"# {report['scale']} run, {report['protocol']} protocol", ""]
    if report["stamp"]:
        lines += [f"**{report['stamp']}**: {report['trained_on_scored_rows']:,} scored pairs were trained on.", ""]
    for name, split in report["splits"].items():
        lines += [f"## {name} ({split['n']:,} pairs)", "", *_models_table(split), "", *_comparison_tables(split), *_attack_table(split), ""]
    if probe := report["hypothesis_only"]:
        lines += [f"Hypothesis-only probe on test: {probe['accuracy']:.2%} of {probe['n']:,}.", ""]
    lines += _audit_table(report["input_formats"])
    if speed:
        lines += ["", "Pairs a second, predicted: " + ", ".join(f"{model} {rate:,.0f}" for model, rate in speed.items()) + "."]
    stamp = f"\n\n*{report['stamp']}*\n" if report["stamp"] else "\n"
    return "\n".join(lines) + stamp


def _models_table(split: dict[str, Any]) -> list[str]:
    head = [
        "| model | data | accuracy | 95 % interval | loss | ECE | F1 entailment / neutral / contradiction |",
        "|---|---|---|---|---|---|---|",
    ]
    rows = []
    for model, kinds in split["models"].items():
        for kind, m in kinds.items():
            low, high = m["accuracy_interval"]
            f1 = " / ".join(f"{c['f1']:.3f}" for c in m["classes"].values())
            rows.append(f"| {model} | {kind} | {m['accuracy']:.2%} | {low:.2%} to {high:.2%} | {m['loss']:.4f} | {m['ece']:.4f} | {f1} |")
    return head + rows


def _comparison_tables(split: dict[str, Any]) -> list[str]:
    lines = []
    for title, rows in [(f"{c['before']} to {c['after']}, {kind}", rows) for c in split["comparisons"] for kind, rows in c["sets"].items()]:
        lines += [f"### {title}", ""]
        lines += [
            "| slice | n | fixed | introduced | remaining | still right | fixed of older errors | of all errors | p (Holm) | verdict |",
            "|---|---|---|---|---|---|---|---|---|---|",
        ]
        for r in rows:
            shares = " | ".join("-" if r[key] is None else f"{r[key]:.1%}" for key in ("fixed_of_older_errors", "fixed_of_all_errors"))
            counts = " | ".join(f"{r[key]:,}" for key in ("n", "fixed", "introduced", "remaining", "still_right"))
            lines.append(f"| {r['slice']} | {counts} | {shares} | {r['holm_p']:.2g} | {r['verdict']} |")
        lines.append("")
    return lines


def _attack_table(split: dict[str, Any]) -> list[str]:
    if not split["attacks"]:
        return []
    lines = [
        "| attacked | right before | accuracy, 1 / 2 / 3 words masked | success | mean words masked | predictions | scored on each model |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, a in split["attacks"].items():
        under = " / ".join(f"{d['accuracy']:.2%}" for d in a["depths"].values())
        success = " / ".join("-" if d["success_rate"] is None else f"{d['success_rate']:.1%}" for d in a["depths"].values())
        transfer = ", ".join(f"{on} {share:.2%}" for on, share in split["transfer"][name].items())
        lines.append(
            f"| {name} | {a['right_before']:,} of {a['n']:,} | {under} | {success} | {a['mean_words_masked']:.2f} | {a['predictions_asked']:,} | {transfer} |"
        )
    return lines


def _audit_table(audit: dict[str, Any]) -> list[str]:
    if not audit:
        return []
    lines = ["| model | input given as | accuracy | entailment / neutral / contradiction predicted |", "|---|---|---|---|"]
    for model, forms in audit.items():
        for form, f in forms.items():
            lines.append(f"| {model} | {form} | {f['right'] / f['n']:.2%} | {' / '.join(f'{n:,}' for n in f['predicted'].values())} |")
    return lines
