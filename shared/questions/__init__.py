"""Questions: weekly averages, histograms, density and the catalog."""
