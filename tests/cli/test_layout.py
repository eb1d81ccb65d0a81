from gatedtui.cli import layout

COLUMNS = ["name", "recipe", "valid", "what"]
ROWS = [["first", "paper", "8.46", "one two three four"], ["a-longer-name", "modern", "10.01", "five"]]


def test_without_a_terminal_a_table_is_as_wide_as_it_needs_to_be():
    lines, left_out = layout.table(COLUMNS, ROWS, right={2}, spare=["recipe"], folds=True)
    assert lines[1] == "first          paper    8.46  one two three four" and not left_out


def test_a_narrow_table_folds_then_moves_together_then_goes_without():
    folded, none = layout.table(COLUMNS, ROWS, right={2}, spare=["recipe"], folds=True, width=46)
    assert folded[1:3] == ["first          paper    8.46  one two three", " " * 30 + "four"] and not none
    closer, none = layout.table(COLUMNS, ROWS, right={2}, spare=["recipe"], width=46)
    assert closer[1] == "first         paper   8.46 one two three four" and not none
    without, gone = layout.table(COLUMNS, ROWS, right={2}, spare=["recipe"], width=42)
    assert without[0].split() == ["name", "valid", "what"] and gone == ["recipe"]
    for lines, width in ((folded, 46), (closer, 46), (without, 42)):
        assert max(map(len, lines)) <= width


def test_parts_begin_a_line_where_they_do_not_fit():
    words = ["● gru 46  test 8.55", "(paper 8.54)", "runs/gru-jsb-1"]
    assert layout.parts(words) == ["   ".join(words)]
    assert layout.parts(words, width=36) == ["● gru 46  test 8.55   (paper 8.54)", "  runs/gru-jsb-1"]


def test_paragraphs_and_facts_break_between_words_only():
    assert layout.paragraph("error: a sentence of words", width=16) == ["error: a", "  sentence of", "  words"]
    assert layout.hanging("kernel  ", "compiled by a compiler", width=26) == [
        "kernel  compiled by a",
        "        compiler",
    ]
    assert layout.hanging("kernel  ", "compiled") == ["kernel  compiled"]
