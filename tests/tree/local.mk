# Tests of the tree itself: layers, style, units, manuals.
TREE_TESTS = tests/tree/layers.sh tests/tree/format.sh tests/tree/units.sh tests/tree/manuals.sh
EXTRA_DIST += tests/tree/tap.sh $(TREE_TESTS)
TESTS += $(TREE_TESTS)
