#include "api/auth/api_key.h"

#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <sys/stat.h>

#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

EnvironmentLookup Environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

TEST(ApiKey, GoogleApiKeyGoesBeforeGeminiApiKey) {
  const ApiKey both =
      FindApiKey("", Environment({{"GOOGLE_API_KEY", "one"}, {"GEMINI_API_KEY", "two"}})).value();
  EXPECT_EQ(both.value, "one");
  EXPECT_EQ(both.origin, "GOOGLE_API_KEY");
  EXPECT_EQ(FindApiKey("", Environment({{"GOOGLE_API_KEY", ""}, {"GEMINI_API_KEY", " two\n"}}))
                .value()
                .value,
            "two");
}

TEST(ApiKey, SaysWhatToDoWhenThereIsNone) {
  const auto none = FindApiKey("", Environment({}));
  EXPECT_EQ(none.error().code, ErrorCode::kAuth);
  EXPECT_EQ(none.error().message, "no API key for backend 'gemini'");
  EXPECT_NE(none.error().hint.find("--backend local"), std::string::npos);
}

TEST(ApiKey, AServiceOnLoopbackTakesAnyAndNeedsNone) {
  const auto none = Environment({});
  EXPECT_EQ(FindApiKeyFor("http://127.0.0.1:8080", "", none).value().value, "none");
  EXPECT_EQ(FindApiKeyFor("https://127.0.0.1.example.com", "", none).error().code,
            ErrorCode::kAuth);
  EXPECT_EQ(FindApiKeyFor("", "", none).error().code, ErrorCode::kAuth);
  const auto one = Environment({{"GEMINI_API_KEY", "one"}});
  EXPECT_EQ(FindApiKeyFor("http://127.0.0.1:8080", "", one).value().value, "one");
  // Who names one is told when it is none.
  const auto bad = Environment({{"GEMINI_API_KEY", "two words"}});
  EXPECT_FALSE(FindApiKeyFor("http://127.0.0.1:8080", "", bad).has_value());
  EXPECT_FALSE(FindApiKeyFor("http://127.0.0.1:8080", "/nowhere/key", none).has_value());
}

TEST(ApiKey, RefusesWhatCannotBeAKeyWithoutShowingIt) {
  for (const std::string& value :
       {std::string(" \n"), std::string("two words"), std::string("a\rb"), std::string("s\x01y"),
        std::string("n\0l", 3), std::string("sch\xc3\xb6n"), std::string(5000, 'x')}) {
    const auto key = FindApiKey("", Environment({{"GEMINI_API_KEY", value}}));
    ASSERT_FALSE(key.has_value());
    EXPECT_EQ(key.error().code, ErrorCode::kAuth);
    EXPECT_EQ(key.error().message.find("words"), std::string::npos);
  }
}

TEST(ApiKey, AFileGoesBeforeTheEnvironment) {
  const TempFolder folder;
  const std::string path = folder.path() + "/key";
  std::ofstream(path) << "\tAIzaTestKey-from-file \n";
  chmod(path.c_str(), 0600);
  const ApiKey key = FindApiKey(path, Environment({{"GOOGLE_API_KEY", "other"}})).value();
  EXPECT_EQ(key.value, "AIzaTestKey-from-file");
  EXPECT_EQ(key.origin, path);
  EXPECT_FALSE(key.readable_by_others);
  EXPECT_EQ(key.warning(), "");
  for (const mode_t mode : {0640U, 0604U}) {
    chmod(path.c_str(), mode);
    const ApiKey open = FindApiKey(path, Environment({})).value();
    EXPECT_TRUE(open.readable_by_others);
    EXPECT_EQ(open.warning(), "others can read the API key in " + path + ": chmod 600 " + path);
  }
  std::ofstream(path) << std::string(1 << 20, 'x');
  EXPECT_EQ(FindApiKey(path, Environment({})).error().code, ErrorCode::kAuth);
}

TEST(ApiKey, AFileThatCannotBeReadIsAMissingKey) {
  const TempFolder folder;
  for (const std::string& path : {folder.path() + "/none", folder.path()}) {
    const auto key = FindApiKey(path, Environment({{"GOOGLE_API_KEY", "other"}}));
    ASSERT_FALSE(key.has_value());
    EXPECT_EQ(key.error().code, ErrorCode::kAuth);
    EXPECT_NE(key.error().message.find("'" + path + "'"), std::string::npos);
    EXPECT_NE(key.error().hint, "");
  }
}

}  // namespace
}  // namespace sluice
