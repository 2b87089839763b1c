#include "api/http/url.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Url, SplitsAnAddressIntoItsOrigin) {
  EXPECT_EQ(ParseOrigin("https://Example.COM/v1beta?x=1").value(),
            (Origin{.scheme = "https", .host = "example.com", .port = 443}));
  EXPECT_EQ(ParseOrigin("http://127.0.0.1:8787").value(),
            (Origin{.scheme = "http", .host = "127.0.0.1", .port = 8787}));
  EXPECT_EQ(ParseOrigin("http://[::1]:80/x").value(),
            (Origin{.scheme = "http", .host = "[::1]", .port = 80}));
  EXPECT_EQ(ParseOrigin("https://host?upload_id=a:9/b").value().host, "host");
}

TEST(Url, KnowsTheMetadataServer) {
  for (const char* url : {"http://metadata.google.internal/x", "http://169.254.169.254",
                          "http://169.254.169.252:988/"}) {
    EXPECT_TRUE(IsMetadataServer(ParseOrigin(url).value())) << url;
  }
  for (const char* url : {"http://metadata.google.internal.example.com", "http://169.254.169",
                          "http://169.254.1.1.example.com", "http://10.254.169.254",
                          "http://169.254.169.254.1", "http://127.0.0.1", "http://[::1]"}) {
    EXPECT_FALSE(IsMetadataServer(ParseOrigin(url).value())) << url;
  }
}

TEST(Url, RefusesWhatTwoParsersCouldReadInTwoWays) {
  for (const char* url : {"",
                          "host",
                          "ftp://host/",
                          "file:///etc/passwd",
                          "https://",
                          "https:///x",
                          "https://a@b/",
                          "https://127.0.0.1@evil.example/",
                          "https://host\\@evil/",
                          "https://ho st/",
                          "https://host:0/",
                          "https://host:65536/",
                          "https://host:/",
                          "https://host:8o/",
                          "https://host/#fragment",
                          "https://h\xc3\xb6st/",
                          "https://host/\r\nX: y",
                          "HTTPS://host/",
                          "https://[::1/",
                          "https://a_b/",
                          "https://[x]/"}) {
    EXPECT_FALSE(ParseOrigin(url).has_value()) << url;
  }
}

TEST(Url, KnowsLoopbackFromWhatLooksLikeIt) {
  for (const char* url : {"http://localhost:1/", "http://127.0.0.1/", "http://127.255.1.9:99/x",
                          "http://[::1]/", "http://LOCALHOST/"}) {
    EXPECT_TRUE(IsLoopback(ParseOrigin(url).value())) << url;
  }
  for (const char* url :
       {"http://127.0.0.1.evil.example/", "http://127.1/", "http://10.0.0.1/", "http://128.0.0.1/",
        "http://0.0.0.0/", "http://localhost.evil.example/", "http://[::2]/", "http://127.0.0.256/",
        "http://127.0.0.1./", "http://127.0.0/", "http://127.0.0.1.1/"}) {
    EXPECT_FALSE(IsLoopback(ParseOrigin(url).value())) << url;
  }
}

TEST(Url, PathLeavesTheQueryOut) {
  EXPECT_EQ(UrlPath("https://host/upload/v1beta/files?upload_id=secret"), "/upload/v1beta/files");
  EXPECT_EQ(UrlPath("https://host?key=secret"), "");
  EXPECT_EQ(UrlPath("https://host"), "");
}

TEST(Url, EncodesQueryValues) {
  EXPECT_EQ(EncodeQueryValue("a-Z_0.~"), "a-Z_0.~");
  EXPECT_EQ(EncodeQueryValue("=&?/ +\xff"), "%3D%26%3F%2F%20%2B%FF");
}

}  // namespace
}  // namespace sluice
