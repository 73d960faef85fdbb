"""Mutation testing: small wrong changes to the deciding code, each of which a test must notice."""
