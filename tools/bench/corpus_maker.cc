#include "tools/bench/corpus_maker.h"

#include <array>
#include <fmt/format.h>
#include <random>
#include <string>

namespace sluice {
namespace {

constexpr size_t kCorpusFlushBytes = size_t{1} << 20;

// Distributions of the standard library may differ between libraries; this does not.
class Chance {
 public:
  explicit Chance(uint64_t seed) : random_(seed) {}

  uint64_t Below(uint64_t limit) { return random_() % limit; }

  // Small numbers often, large ones seldom, about as words come in a text: a product of three
  // uniform numbers.
  size_t Rank(size_t limit) {
    const uint64_t bits = random_();
    uint64_t rank = limit;
    for (int part = 0; part < 3; ++part) {
      rank = rank * (bits >> (20 * part) & 0xFFFFF) >> 20;
    }
    return rank;
  }

 private:
  std::mt19937_64 random_;
};

void AppendUtf8(uint32_t character, std::string& out) {
  const auto tail = [&](int shift) {
    out += static_cast<char>(0x80 | (character >> shift & 0x3F));
  };
  if (character < 0x80) {
    out += static_cast<char>(character);
  } else if (character < 0x800) {
    out += static_cast<char>(0xC0 | character >> 6);
    tail(0);
  } else if (character < 0x10000) {
    out += static_cast<char>(0xE0 | character >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | character >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

// The words of one kind of document, the most common first.
class Vocabulary {
 public:
  using MakeWord = std::string (*)(Chance& chance);

  Vocabulary(MakeWord make, Chance& chance) {
    constexpr size_t kWords = 16'384;
    words_.reserve(kWords);
    while (words_.size() < kWords) {
      words_.push_back(make(chance));
    }
  }

  const std::string& Pick(Chance& chance) const { return words_[chance.Rank(words_.size())]; }

 private:
  std::vector<std::string> words_;
};

std::string AsciiWord(Chance& chance) {
  // About as often as in English.
  constexpr std::string_view kLetters =
      "eeeeeeettttttaaaaaoooooiiiiinnnnnsssshhhhrrrrdddlllccuummmwwffggyyppbbvkjxqz";
  std::string word;
  for (uint64_t length = 1 + chance.Below(10); length > 0; --length) {
    word += kLetters[chance.Below(kLetters.size())];
  }
  return word;
}

// Two letters of three with a mark, so that such a document has not to be much longer than its part
// in the corpus.
std::string LatinWord(Chance& chance) {
  std::string word;
  for (uint64_t length = 2 + chance.Below(7); length > 0; --length) {
    if (chance.Below(3) == 0) {
      word += AsciiWord(chance)[0];
    } else {
      AppendUtf8(0xE0 + static_cast<uint32_t>(chance.Rank(23)), word);
    }
  }
  return word;
}

std::string CyrillicWord(Chance& chance) {
  std::string word;
  for (uint64_t length = 1 + chance.Below(10); length > 0; --length) {
    AppendUtf8(0x430 + static_cast<uint32_t>(chance.Rank(32)), word);
  }
  return word;
}

std::string CjkWord(Chance& chance) {
  std::string word;
  for (uint64_t length = 1 + chance.Below(4); length > 0; --length) {
    AppendUtf8(0x4E00 + static_cast<uint32_t>(chance.Rank(5000)), word);
  }
  return word;
}

std::string EmojiWord(Chance& chance) {
  std::string word = chance.Below(2) == 0 ? AsciiWord(chance) : "";
  AppendUtf8(0x1F600 + static_cast<uint32_t>(chance.Rank(80)), word);
  return word;
}

constexpr std::array<Vocabulary::MakeWord, 4> kMakers = {LatinWord, CyrillicWord, CjkWord,
                                                         EmojiWord};
constexpr std::array<std::string_view, 9> kMadeEscapes = {
    "\\n", "\\n", "\\\"", "\\\"", "\\t", "\\\\", "\\/", "\\u00e9", "\\ud83d\\ude00"};

class DocumentMaker {
 public:
  explicit DocumentMaker(const CorpusMakerOptions& options)
      : options_(options), chance_(options.seed), ascii_(AsciiWord, chance_) {
    for (const Script script : options.scripts) {
      others_.emplace_back(kMakers[static_cast<size_t>(script)], chance_);
    }
  }

  void Append(uint64_t number, std::string& out) {
    const uint64_t least = options_.document_bytes / 4;
    const uint64_t size = least + chance_.Below(options_.document_bytes * 3 / 2 + 1);
    const size_t begin = out.size();
    out += fmt::format("{{\"id\":\"doc-{}\",\"text\":\"", number);
    AppendText(size - std::min(size, out.size() - begin + 3), out);
    out += "\"}\n";
  }

 private:
  // At least one word. The languages take turns so that the shares hold for the whole corpus.
  void AppendText(uint64_t size, std::string& out) {
    const bool other =
        !others_.empty() && static_cast<double>(non_ascii_bytes_) <
                                options_.non_ascii_share * static_cast<double>(text_bytes_ + size);
    const Vocabulary& words = other ? others_[chance_.Below(others_.size())] : ascii_;
    const size_t begin = out.size();
    do {
      const std::string& word = words.Pick(chance_);
      out += word;
      for (const char c : word) {
        non_ascii_bytes_ += static_cast<unsigned char>(c) >= 0x80 ? 1 : 0;
      }
      out += AppendEscape(text_bytes_ + out.size() - begin, out) ? "" : " ";
    } while (out.size() - begin < size);
    text_bytes_ += out.size() - begin;
  }

  bool AppendEscape(uint64_t text_bytes, std::string& out) {
    if (static_cast<double>(escape_bytes_) >=
        options_.escape_share * static_cast<double>(text_bytes)) {
      return false;
    }
    const std::string_view escape = kMadeEscapes[chance_.Below(kMadeEscapes.size())];
    out += escape;
    escape_bytes_ += escape.size();
    return true;
  }

  const CorpusMakerOptions& options_;
  Chance chance_;
  Vocabulary ascii_;
  std::vector<Vocabulary> others_;
  uint64_t text_bytes_ = 0;
  uint64_t non_ascii_bytes_ = 0;
  uint64_t escape_bytes_ = 0;
};

}  // namespace

Result<MadeCorpus> MakeCorpus(const CorpusMakerOptions& options,
                              const std::function<Result<void>(std::string_view)>& write) {
  DocumentMaker documents(options);
  MadeCorpus made;
  std::string lines;
  const auto whole = [&] {
    return options.bytes.has_value() ? made.bytes + lines.size() >= *options.bytes
                                     : made.documents >= options.documents;
  };
  while (!whole()) {
    documents.Append(made.documents++, lines);
    if (lines.size() >= kCorpusFlushBytes) {
      SLUICE_TRY(write(lines));
      made.bytes += lines.size();
      lines.clear();
    }
  }
  made.bytes += lines.size();
  SLUICE_TRY(write(lines));
  return made;
}

}  // namespace sluice
