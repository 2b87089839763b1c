#include "tools/npy_view.h"

#include <cstring>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/file/temporary_folder.h"
#include "tools/nearest_rows.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A header as numpy.save writes it: padded with blanks to a multiple of 64, LF at the end.
std::string Header(std::string dictionary, char major = 1) {
  const size_t begin = major == 1 ? 10 : 12;
  while ((begin + dictionary.size() + 1) % 64 != 0) {
    dictionary += ' ';
  }
  dictionary += '\n';
  std::string bytes = "\x93NUMPY";
  bytes += major;
  bytes += '\0';
  for (size_t i = 0; i < begin - 8; ++i) {
    bytes += static_cast<char>(dictionary.size() >> (8 * i));
  }
  return bytes + dictionary;
}

std::string Numbers(const std::vector<float>& numbers) {
  std::string bytes(numbers.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return bytes;
}

class NpyFile : public testing::Test {
 protected:
  std::string Write(const std::string& bytes) {
    const std::string path = folder_.path() + "/x.npy";
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

 private:
  TemporaryFolder folder_ = TemporaryFolder::Make("sluice-npy-test-").value();
};

constexpr char kTwoByThree[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";

TEST_F(NpyFile, GivesItsRows) {
  for (const char major : {'\1', '\2'}) {
    const auto view =
        NpyView::Open(Write(Header(kTwoByThree, major) + Numbers({1, 2, 3, 4, 5, 6})));
    ASSERT_TRUE(view.has_value()) << view.error().message;
    EXPECT_EQ(view->rows(), 2U);
    EXPECT_EQ(view->columns(), 3U);
    EXPECT_THAT(view->Row(0), ElementsAre(1, 2, 3));
    EXPECT_THAT(view->Row(1), ElementsAre(4, 5, 6));
  }
}

TEST_F(NpyFile, MayHaveNoRows) {
  const auto view =
      NpyView::Open(Write(Header("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }")));
  ASSERT_TRUE(view.has_value()) << view.error().message;
  EXPECT_EQ(view->rows(), 0U);
}

TEST(NpyHeader, KeysMayComeInAnyOrderAndSpacing) {
  const auto header =
      ParseNpyHeader(Header("{ \"shape\":(5,7),'fortran_order' :False , 'descr':'<f4'}"));
  ASSERT_TRUE(header.has_value()) << header.error().message;
  EXPECT_EQ(header->rows, 5U);
  EXPECT_EQ(header->columns, 7U);
  EXPECT_EQ(header->data_offset % 64, 0U);
}

TEST(NpyHeader, RefusesWhatIsNoTwoDimensionalFloat32) {
  for (const char* dictionary : {
           "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }",
           "{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }",
           "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }",
           "{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3), }",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3), }",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3), }",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 3), }",
           "{'descr': '<f4', 'fortran_order': False, }",
           "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': 1}",
           "{'descr': '<f4' 'fortran_order': False, 'shape': (2, 3)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} x",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)",
           "{'descr': '<f4",
           "{",
           "",
       }) {
    EXPECT_FALSE(ParseNpyHeader(Header(dictionary)).has_value()) << dictionary;
  }
}

TEST(NpyHeader, RefusesATornOrForeignFront) {
  const std::string whole = Header(kTwoByThree);
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(ParseNpyHeader(std::string_view(whole).substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(ParseNpyHeader(Header(kTwoByThree, '\3')).has_value());
  std::string endless = Header(kTwoByThree, '\2');
  endless[11] = '\x7f';  // a header of two gigabytes
  EXPECT_FALSE(ParseNpyHeader(endless).has_value());
}

TEST_F(NpyFile, MustBeAsLongAsItsHeaderSays) {
  for (const std::string& path :
       {Write(Header(kTwoByThree) + Numbers({1, 2, 3, 4, 5})),
        Write(Header(kTwoByThree) + Numbers({1, 2, 3, 4, 5, 6, 7})),
        Write(Header(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (6148914691236517205, 3), }")),
        Write("")}) {
    const auto view = NpyView::Open(path);
    ASSERT_FALSE(view.has_value());
    EXPECT_EQ(view.error().code, ErrorCode::kInput);
    EXPECT_THAT(view.error().message, HasSubstr("x.npy"));
  }
}

TEST_F(NpyFile, MustBeThere) {
  const auto view = NpyView::Open("/nowhere/x.npy");
  ASSERT_FALSE(view.has_value());
  EXPECT_EQ(view.error().code, ErrorCode::kIo);
}

TEST_F(NpyFile, TheNearestRowsComeBestFirstWithoutThoseThatFailed) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto view =
      NpyView::Open(Write(Header("{'descr': '<f4', 'fortran_order': False, 'shape': (6, 2), }") +
                          Numbers({1, 0, 0, 1, nan, nan, 3, 3, 0, 0, 0, 7})));
  ASSERT_TRUE(view.has_value());
  const std::vector<float> query = {0, 2};
  const auto rows = FindNearestRows(*view, query, 3);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].row, 1U);  // as near as row 5, and earlier
  EXPECT_DOUBLE_EQ(rows[0].cosine, 1.0);
  EXPECT_EQ(rows[1].row, 5U);
  EXPECT_EQ(rows[2].row, 3U);
  EXPECT_NEAR(rows[2].cosine, 0.70710678, 1e-6);
  EXPECT_EQ(FindNearestRows(*view, query, 100).size(), 4U);
  EXPECT_EQ(FindNearestRows(*view, query, 1, 1).front().row, 5U);
  EXPECT_TRUE(FindNearestRows(*view, query, 0).empty());
}

TEST_F(NpyFile, LongRowsAreComparedToTheirLastNumber) {
  std::vector<float> numbers(2 * 19, 0);
  numbers[18] = 1;       // row 0: only its last number
  numbers[19 + 17] = 1;  // row 1: only the one before
  const auto view = NpyView::Open(Write(
      Header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 19), }") + Numbers(numbers)));
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(FindNearestRows(*view, view->Row(0), 1).front().row, 0U);
  EXPECT_EQ(FindNearestRows(*view, view->Row(1), 1).front().row, 1U);
}

}  // namespace
}  // namespace sluice
