// A library has a source; the headers are named in CMakeLists.txt.
