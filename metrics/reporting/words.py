"""The words of the report: captions, alternative texts, glossary.

Belongs here: text without numbers of a candidate. Does not belong here: layout (``templates``) or formatting
(``report``).
"""

UNKNOWN = "not available"

LEDGER_LABELS = {
    "cohort": "Cohort",
    "total_rho": "Total budget (zCDP ρ)",
    "budget_rho": "Total budget (zCDP ρ)",
    "limit_rho": "Total budget (zCDP ρ)",
    "spent_rho": "Spent so far (zCDP ρ)",
    "remaining_rho": "Left (zCDP ρ)",
    "releases": "Fits debited",
    "entries": "Fits debited",
}

FIGURES = {
    "marginals": {
        "title": "Every column, real beside synthetic",
        "alt": "Small bar charts, one per column, of the share of patients at each level: real training patients in "
        "blue, synthetic patients in orange.",
        "caption": "Share of patients at each level of the codebook. Real shares come from counts rounded to "
        "multiples of 5; bins are public cut points, the same for both tables.",
    },
    "tvd": {
        "title": "All pairs of columns",
        "alt": "Cumulative distribution of two-way total variation distances for the synthetic table, the real "
        "holdout and independent columns.",
        "caption": "Further left is nearer to the real training table. All three tables are cut to the holdout's size, "
        "since distances grow as tables shrink. The holdout is the noise floor: other real patients score this much. "
        "Synthetic data keep associations where they lie left of independent columns; left of the floor they follow "
        "the training sample more closely than other patients do.",
    },
    "kaplan_meier": {
        "title": "Survival",
        "alt": "Kaplan-Meier curves with confidence bands of real training, real holdout and synthetic patients.",
        "caption": "Kaplan-Meier estimate with pointwise 95 % bands on a grid of 60 times; a curve ends where fewer "
        "than ten patients are at risk.",
    },
    "roc": {
        "title": "Prediction: discrimination",
        "alt": "ROC curves on real holdout patients for two models, trained on real and on synthetic patients.",
        "caption": "Both models are tested on the same real patients, whom neither the models nor the synthesizer "
        "saw. The nearer the orange curve to the blue one, the less is lost by training on synthetic data.",
    },
    "calibration": {
        "title": "Prediction: calibration",
        "alt": "Predicted against observed risk on real holdout patients for two models, trained on real and on "
        "synthetic patients.",
        "caption": "Groups of at least ten patients, sorted by predicted risk. On the dashed line, predicted risks "
        "come true.",
    },
    "membership": {
        "title": "Membership attack",
        "alt": "ROC curve of the membership attack beside guessing, and the share of members found at false positive "
        "rates of 1 and 5 percent.",
        "caption": "An attacker who holds the synthetic table and other real patients guesses who was in the training "
        "data. On the dashed line the attack is guessing. Bars: exact 95 % intervals (Clopper-Pearson).",
    },
    "frontier": {
        "title": "What each privacy budget costs",
        "alt": "Utility, fidelity and attack success over the privacy budget epsilon, with references from real data.",
        "caption": "Mean and range over seeds. Each run with an epsilon of its own would spend that much of the "
        "cohort's budget if it were released.",
    },
}

PROVENANCE_LABELS = {
    "code_commit": "Code commit",
    "cohort": "Codebook",
    "data_version": "Data version (sha256 of the hospitals' tables)",
    "delta": "Delta asked for",
    "epsilon": "Epsilon asked for",
    "family": "Model",
    "neighbouring": "Neighbouring tables",
    "seed": "Seed of the sampling",
    "synthesizer": "Synthesizer",
    "why": "Why this model",
}

GLOSSARY = {
    "AUC": "Area under the ROC curve: the chance that a patient with the event is ranked above one without. 0.5 is "
    "guessing, 1 is perfect.",
    "Brier score": "Mean squared error of predicted risks. Lower is better.",
    "CI": "Confidence interval. It covers the luck of which patients were in the test, not the luck of the synthesis.",
    "Codebook": "The public description of a table: columns, units, bounds and levels, none of it read from the data.",
    "Delta (δ)": "The small chance by which the epsilon guarantee may be exceeded.",
    "Differential privacy": "A guarantee about the method: its output would be almost as likely without any one "
    "patient. It holds against every attacker, whatever else they know.",
    "Epsilon (ε)": "The size of that “almost”. With a small ε no one can tell well whether a patient took part; "
    "every release adds up.",
    "Exact copy": "A synthetic patient equal to a training patient in every column.",
    "Holdout": "Real patients set aside before synthesis, never seen by the synthesizer.",
    "k-anonymity": "Every combination of quasi-identifiers occurs at least k times. It is applied before synthesis and "
    "is weaker than differential privacy.",
    "Ledger": "The account of a cohort's privacy budget, debited before noise is drawn. When it is empty, no further "
    "release is possible.",
    "Membership AUC": "How well an attack tells training patients from others. 0.5 is guessing.",
    "Rho (ρ), zCDP": "Zero-concentrated differential privacy, the unit of the ledger: the ρ of all uses add up.",
    "Sigma (σ)": "Standard deviation of the noise added to each count.",
    "TRTR": "Train on real, test on real: the reference for TSTR.",
    "TSTR": "Train on synthetic, test on real: what the synthetic data are worth for building a model.",
    "TVD": "Total variation distance: half the summed difference of shares. 0 is equal, 1 is disjoint. Two-way: over "
    "all pairs of columns.",
}
