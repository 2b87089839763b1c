// The key of tests that need one. It begins as all keys of tests do, by which tests/leaks/leaks.py
// finds them wherever they should not be.
#pragma once

namespace sluice {

inline constexpr const char* kTestKey = "AIzaTestKey-0123456789";

}  // namespace sluice
