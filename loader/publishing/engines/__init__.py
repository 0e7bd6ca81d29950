"""Engines that take published loads: one adapter each, chosen by TRIPDECK_PUBLISH_ENGINE."""
