"""Engines that only the suite runs on."""
