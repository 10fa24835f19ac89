"""Tables, pages and plots of the results of a suite."""
