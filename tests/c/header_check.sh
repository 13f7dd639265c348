#!/bin/sh
# The header compiles without a warning in every dialect of C and C++ that programs are written in.
. ./tally.sh

compiles() { # compiles COMPILER LANGUAGE STANDARD
    echo '#include <libws.h>' | "$1" -x "$2" -std="$3" -Wall -Wextra -pedantic -Werror -I../../include -fsyntax-only -
}

for compiler in gcc clang; do
    have $compiler || { skip "$compiler is not installed"; continue; }
    for standard in c99 c11 c17; do
        check "the header with $compiler -std=$standard" compiles $compiler c $standard
    done
done
for compiler in g++ clang++; do
    have $compiler || { skip "$compiler is not installed"; continue; }
    for standard in c++11 c++17 c++20; do
        check "the header with $compiler -std=$standard" compiles $compiler c++ $standard
    done
done
tally_end
