#include "api/storage/object_name.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(ObjectName, IsReadAndWrittenAsAnAddress) {
  for (const char* uri : {"gs://bucket/a", "gs://my-bucket.example.com/a/b//c.jsonl",
                          "gs://b_1/with blank/\xc3\xa4?x=1#y%2F", "gs://bucket/trailing/"}) {
    const auto name = ParseObjectUri(uri);
    ASSERT_TRUE(name.has_value()) << uri;
    EXPECT_EQ(FormatObjectUri(*name), uri);
  }
  EXPECT_EQ(ParseObjectUri("gs://bucket/a/b").value(),
            (ObjectName{.bucket = "bucket", .object = "a/b"}));
}

TEST(ObjectName, RefusesWhatCannotBeOne) {
  for (const std::string& uri :
       {std::string(), std::string("bucket/a"), std::string("gs://"), std::string("gs://bucket"),
        std::string("gs://bucket/"), std::string("gs:///a"), std::string("gs://b/a"),
        std::string("GS://bucket/a"), std::string("gs://Bucket/a"), std::string("gs://-bucket/a"),
        std::string("gs://bucket-/a"), std::string("gs://buck et/a"), std::string("gs://bucket/."),
        std::string("gs://bucket/.."), std::string("gs://bucket/a\nb"),
        std::string("gs://bucket/a\0b", 15), std::string("gs://bucket/\xff"),
        "gs://bucket/" + std::string(1025, 'a'), "gs://" + std::string(223, 'b') + "/a"}) {
    const auto name = ParseObjectUri(uri);
    ASSERT_FALSE(name.has_value()) << uri;
    EXPECT_EQ(name.error().code, ErrorCode::kUsage);
  }
}

TEST(ObjectName, APrefixMayBeEmpty) {
  EXPECT_EQ(ParsePrefixUri("gs://bucket").value(),
            (ObjectPrefix{.bucket = "bucket", .prefix = ""}));
  EXPECT_EQ(ParsePrefixUri("gs://bucket/").value(),
            (ObjectPrefix{.bucket = "bucket", .prefix = ""}));
  EXPECT_EQ(ParsePrefixUri("gs://bucket/a/").value(),
            (ObjectPrefix{.bucket = "bucket", .prefix = "a/"}));
  EXPECT_FALSE(ParsePrefixUri("s3://bucket/a").has_value());
  EXPECT_EQ(ParseFolderUri("gs://bucket/a").value(), ParsePrefixUri("gs://bucket/a/").value());
  EXPECT_EQ(ParseFolderUri("gs://bucket").value(), ParsePrefixUri("gs://bucket").value());
  EXPECT_NE(ParsePrefixUri("gs://ab/c").error().hint.find("3 to 222 characters"),
            std::string::npos);
}

}  // namespace
}  // namespace sluice
