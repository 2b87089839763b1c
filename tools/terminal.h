// Terminal: what may be written to a stream: colours, how wide, and that nothing a user or a
// service sent can steer the screen. Immutable, thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace sluice {

enum class ColorChoice { kAuto, kAlways, kNever };

struct Terminal {
  bool is_terminal = false;  // a person looks at it, and it knows escape codes (TERM is not dumb)
  bool color = false;
  int width = 80;
};

// Looks at a file descriptor. With kAuto a terminal gets colours unless NO_COLOR is set and not
// empty (no-color.org); CLICOLOR_FORCE (bixense.com/clicolors) asks for them everywhere.
[[nodiscard]] Terminal DescribeTerminal(int descriptor, ColorChoice choice);

// The environment decides here, so that it can be tested.
[[nodiscard]] bool WantsColor(ColorChoice choice, bool is_terminal, const char* no_color,
                              const char* clicolor_force);

// `text` with everything that a terminal would obey or hide made visible: C0 and C1 controls, DEL,
// bytes that are no UTF-8, line and paragraph separators, and the marks that turn the direction of
// writing, as \n, \x1b or \u202e.
[[nodiscard]] std::string EscapeControls(std::string_view text);

// At most `width` characters (code points); a cut is shown by "...". Never cuts a character.
[[nodiscard]] std::string CutToWidth(std::string_view text, size_t width);

// How many characters (code points) `text` has.
[[nodiscard]] size_t CountCharacters(std::string_view text);

enum class Style { kRed, kYellow };
// `text` in that style when `color` is on, else as it is.
[[nodiscard]] std::string Styled(bool color, Style style, std::string_view text);

}  // namespace sluice
