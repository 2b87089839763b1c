#include "tools/emulator/lexical_embedding.h"

#include <cmath>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace sluice {
namespace {

std::vector<float> Embed(std::string_view text, size_t dimensions) {
  std::vector<float> vector(dimensions);
  EmbedLexically(text, vector);
  return vector;
}

double Dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  return sum;
}

TEST(LexicalEmbedding, HasUnitLengthInEveryDimension) {
  for (const size_t dimensions : {1U, 2U, 3U, 128U, 256U, 768U, 3072U}) {
    for (const char* text :
         {"a", "the quick brown fox", "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", ""}) {
      const std::vector<float> vector = Embed(text, dimensions);
      EXPECT_NEAR(Dot(vector, vector), 1.0, 1e-6) << text << " in " << dimensions;
    }
  }
}

// The vectors are stored by users, so they must never change: these were computed once.
TEST(LexicalEmbedding, GivesTheSameNumbersForEver) {
  const std::vector<float> vector = Embed("A dog is a domesticated mammal.", 256);
  const std::vector<std::pair<size_t, float>> golden = {{34, 0.053264074F},  {68, -0.284075052F},
                                                        {70, -0.193879843F}, {79, -0.266320378F},
                                                        {92, 0.0710187629F}, {102, 0.266320378F}};
  for (const auto& [place, value] : golden) {
    EXPECT_EQ(vector[place], value) << place;
  }
}

TEST(LexicalEmbedding, FoldsAsciiCaseAndIgnoresPunctuation) {
  EXPECT_EQ(Embed("Hello, World!", 64), Embed("hello world", 64));
  EXPECT_EQ(Embed("well\xE2\x80\x94known", 64), Embed("well known", 64));
}

TEST(LexicalEmbedding, KeepsLettersBeyondAscii) {
  EXPECT_NE(Embed("caf\xC3\xA9", 64), Embed("caf", 64));
  EXPECT_LT(Dot(Embed("\xD0\xBA\xD0\xBE\xD1\x82", 256), Embed("\xD0\xBF\xD1\x91\xD1\x81", 256)),
            0.5);
}

TEST(LexicalEmbedding, SurvivesBytesThatAreNotUtf8) {
  const std::vector<float> vector = Embed("\xFF\xE6\xF0 x \xE6", 64);
  EXPECT_NEAR(Dot(vector, vector), 1.0, 1e-6);
}

TEST(LexicalEmbedding, GivesTextsWithoutWordsTheFirstUnitVector) {
  EXPECT_EQ(Embed(" ... ", 3), (std::vector<float>{1, 0, 0}));
}

TEST(LexicalEmbedding, FindsATextByItsOwnWordsInAnyOrder) {
  const std::vector<std::string> texts = {"a large feline of forests in most of Asia",
                                          "a small domesticated carnivorous mammal",
                                          "the act of steering a ship", "large forests of Asia"};
  const std::vector<float> query = Embed("Asia forests most feline large", 256);
  size_t best = 0;
  for (size_t i = 1; i < texts.size(); ++i) {
    best = Dot(query, Embed(texts[i], 256)) > Dot(query, Embed(texts[best], 256)) ? i : best;
  }
  EXPECT_EQ(best, 0U);
}

TEST(LexicalEmbedding, CountsRepeatedWordsLessThanLinearly) {
  const double once = Dot(Embed("cat dog", 3072), Embed("dog", 3072));
  const double often = Dot(Embed("cat dog dog dog dog", 3072), Embed("dog", 3072));
  EXPECT_GT(often, once);
  EXPECT_LT(often, 0.97);
}

TEST(LexicalEmbedding, WeighsFunctionWordsDown) {
  const std::vector<float> text = Embed("the history of music", 3072);
  EXPECT_LT(Dot(text, Embed("the", 3072)), 0.3);
  EXPECT_GT(Dot(text, Embed("music", 3072)), 0.5);
}

}  // namespace
}  // namespace sluice
