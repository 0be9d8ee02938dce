"""The languages in which a node reports."""
