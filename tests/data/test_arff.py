"""Weka's format as it is found."""

from pathlib import Path

import numpy as np
from numpy.testing import assert_array_equal

from nas_fpga.data._tables import read_table


def test_arff_as_people_write_it(tmp_path: Path) -> None:
    header = [
        "% Latin-1: \xe9",
        "@relation 'my rows'",
        "@attribute x real",
        "@Attribute 'it\\'s {y}'\tnumeric % in cm",
        '@attribute "no, z"{0,1}',
        "@attribute label{a,'b c',\"d, 'e'\"}",
        "",
        "@DATA % note",
    ]
    rows = ["1, 2,0, a", "  3, ?,1,'b c'  ", "\t5,\t6,'0',\"d, 'e'\"", "7 , 8 ,\"1\" ,\t'd, \\'e\\''"]
    body = ["% one, two, three, four", *rows, "", "   ", "  %", *rows * 29]
    (tmp_path / "t.arff").write_bytes("\r\n".join([*header, *body]).encode("latin-1"))
    read = read_table(tmp_path / "t.arff").columns
    assert list(read) == ["x", "it's {y}", "no, z", "label"]
    assert_array_equal(read["x"], [1, 3, 5, 7] * 30)
    assert_array_equal(read["it's {y}"], [2, np.nan, 6, 8] * 30)
    assert_array_equal(read["no, z"], [0, 1, 0, 1] * 30)
    assert_array_equal(read["label"], ["a", "b c", "d, 'e'", "d, 'e'"] * 30)
