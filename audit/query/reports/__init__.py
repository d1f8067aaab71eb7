"""Reports: answers for officers, patients and reviewers, saying how far they can be relied on."""
