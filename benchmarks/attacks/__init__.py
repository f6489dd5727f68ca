"""Our privacy attacks beside the package that they follow, and the audit of our synthesizer."""
