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
    "references": {
        "title": "Every fidelity figure beside its references",
        "alt": "Dot plot: for each distance and score the synthetic table, the real holdout, independent columns and a "
        "bootstrap copy of the training patients.",
        "caption": "All tables have the holdout's size. Good synthetic data lie at the real holdout. Data that lie at the "
        "bootstrap copy repeat the training patients; data that lie at independent columns have lost what ties columns "
        "together.",
    },
    "association": {
        "title": "What goes with what",
        "alt": "Three heat maps of the association of all pairs of columns: real, synthetic, and their difference.",
        "caption": "Spearman correlation of numbers, correlation ratio of a number with a category, Cramer's V of "
        "categories.",
    },
    "kaplan_meier": {
        "title": "Survival",
        "alt": "Kaplan-Meier curves with confidence bands of real training, real holdout and synthetic patients.",
        "caption": "Kaplan-Meier estimate with pointwise 95 % bands on a grid of 60 times; a curve ends where fewer "
        "than ten patients are at risk.",
    },
    "roc": {
        "title": "Prediction: discrimination",
        "alt": "ROC curves on real holdout patients for three models, trained on real and on synthetic patients.",
        "caption": "All models are tested on the same real patients, whom neither the models nor the synthesizer "
        "saw. The nearer the orange curve to the blue one, the less is lost by training on synthetic data.",
    },
    "calibration": {
        "title": "Prediction: calibration",
        "alt": "Predicted against observed risk on real holdout patients for three models, trained on real and on "
        "synthetic patients.",
        "caption": "Groups of at least ten patients, sorted by predicted risk. On the dashed line, predicted risks "
        "come true.",
    },
    "decision_curve": {
        "title": "Prediction: decisions",
        "alt": "Net benefit over the risk above which a patient is treated, of models trained on real and on synthetic "
        "patients, of treating all and of treating none.",
        "caption": "Net benefit counts patients rightly treated less those wrongly treated, weighted by the threshold "
        "(Vickers and Elkin, 2006). A model is useful where it lies above treating all and treating none.",
    },
    "subgroups": {
        "title": "Groups of patients",
        "alt": "For each group of sex, age, site and other quasi-identifiers: share among synthetic patients against real "
        "ones, and loss of AUC, with intervals.",
        "caption": "Right of zero, training on synthetic patients costs this group some of the prediction. Groups that are "
        "too small to tell are named as unknown.",
    },
    "attacks": {
        "title": "All membership attacks",
        "alt": "AUC of each membership attack with intervals, on all patients tested and on the most isolated tenth.",
        "caption": "Thick: 95 % interval of the attack alone. Thin: bounds that hold for all attacks together. Left of the "
        "dashed line an attack is worse than guessing.",
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
    "Alpha-precision, beta-recall": "How many synthetic rows look typical of real ones, and how much of the real variety "
    "the synthetic rows reach.",
    "Bootstrap copy": "Training patients drawn with replacement: what a release without any privacy looks like.",
    "Brier score": "Mean squared error of predicted risks. Lower is better.",
    "CI": "Confidence interval. It covers the luck of which patients were in the test, not the luck of the synthesis.",
    "Codebook": "The public description of a table: columns, units, bounds and levels, none of it read from the data.",
    "Delta (δ)": "The small chance by which the epsilon guarantee may be exceeded.",
    "Differential privacy": "A guarantee about the method: its output would be almost as likely without any one "
    "patient. It holds against every attacker, whatever else they know.",
    "Epsilon (ε)": "The size of that “almost”. With a small ε no one can tell well whether a patient took part; "
    "every release adds up.",
    "Density, coverage": "How crowded synthetic rows are around real ones, and the share of real patients with a synthetic "
    "neighbour.",
    "Exact copy": "A synthetic patient equal to a training patient in every column.",
    "Holdout": "Real patients set aside before synthesis, never seen by the synthesizer.",
    "Inference": "Guessing a secret of a patient from what else is known of them.",
    "k-anonymity": "Every combination of quasi-identifiers occurs at least k times. It is applied before synthesis and "
    "is weaker than differential privacy.",
    "Ledger": "The account of a cohort's privacy budget, debited before noise is drawn. When it is empty, no further "
    "release is possible.",
    "Linkability": "Telling that two sets of facts belong to the same patient.",
    "Membership AUC": "How well an attack tells training patients from others. 0.5 is guessing.",
    "Rho (ρ), zCDP": "Zero-concentrated differential privacy, the unit of the ledger: the ρ of all uses add up.",
    "Net benefit": "Patients rightly treated less those wrongly treated, the latter weighted by the risk at which one "
    "would treat.",
    "Reconstruction": "Computing the secrets of all patients at once from counts in the synthetic table.",
    "Shadow models": "An attacker who runs the same synthesizer many times with and without a patient.",
    "Sigma (σ)": "Standard deviation of the noise added to each count.",
    "Singling out": "A description that fits exactly one patient.",
    "Subgroup": "Patients of one sex, age band, site or other quasi-identifier.",
    "TRTR": "Train on real, test on real: the reference for TSTR.",
    "TSTR": "Train on synthetic, test on real: what the synthetic data are worth for building a model.",
    "TVD": "Total variation distance: half the summed difference of shares. 0 is equal, 1 is disjoint. Two-way: over "
    "all pairs of columns.",
}
