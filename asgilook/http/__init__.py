"""The wire: resources, conditions, problems, and what each answer carries."""
