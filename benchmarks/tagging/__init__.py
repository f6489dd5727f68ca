"""Learning of the tagger that works beside the rules of ``deidentification.text``; see ``__main__``."""
