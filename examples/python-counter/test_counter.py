import unittest

from counter import app, count_visit


class MemoryCounter:
    """Counts as Redis does."""

    def __init__(self):
        self.values = {}

    def incr(self, key):
        self.values[key] = self.values.get(key, 0) + 1
        return self.values[key]


class CounterTest(unittest.TestCase):
    def test_counts_each_visit_once(self):
        counter = MemoryCounter()
        self.assertEqual([count_visit(counter) for _ in range(3)], [1, 2, 3])

    def test_serves_json_at_the_root_only(self):
        routes = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint == "show"}
        self.assertEqual(routes, {"/"})


if __name__ == "__main__":
    unittest.main()
