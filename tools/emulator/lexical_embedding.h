// LexicalEmbedding: a text as a unit vector, from its words alone. Deterministic on every machine:
// all sums are integers, and the last step is one division by one square root.
//
//   words     runs of ASCII letters and digits and of all characters from U+00C0 on (but for the
//             general and CJK punctuation blocks); ASCII is lower-cased, nothing else is folded
//   features  each word; each pair of neighbouring words; each run of 3 and of 4 characters inside
//             "<word>" with its edges marked
//   weight    kind's weight x (1 + ln count); a word of the list of English function words, and a
//             pair with one, weigh a fraction
//   hashing   HashText() of the feature's bytes, seeded by its kind; each feature is added, with
//             signs, to kSpread coordinates chosen by further mixing (signed feature hashing,
//             Weinberger et al. 2009, https://arxiv.org/abs/0902.2206)
//   length    the sum is scaled to unit length; a text without words is the first unit vector
//
// It knows words, not meanings: no model is involved. Pure functions, thread-safe.
#pragma once

#include <span>
#include <string_view>

namespace sluice {

inline constexpr int kLexicalDimensionsMax = 3072;

// Fills `vector` (1 to kLexicalDimensionsMax values). `text` is UTF-8; other bytes do no harm.
void EmbedLexically(std::string_view text, std::span<float> vector);

}  // namespace sluice
