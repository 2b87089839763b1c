// The manual page, sluice(1), made from the option table and the help topics.
#pragma once

#include <string>

namespace sluice {

[[nodiscard]] std::string ManPage();

}  // namespace sluice
