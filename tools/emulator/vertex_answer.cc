#include "tools/emulator/vertex_answer.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "io/json/json_document.h"
#include "tools/emulator/json_field.h"
#include "tools/emulator/mix.h"

namespace sluice {

namespace {

// More is said to be cut.
constexpr uint64_t kPredictionTokensMax = 2048;

// Sorts its members: what comes back is not what was sent.
using Json = nlohmann::json;

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// "Bad Request: {"error": {...}}", as the documentation shows it.
std::string StatusText(const ApiError& error) {
  const int status = HttpStatus(error.code);
  const char* phrase = status == 400   ? "Bad Request"
                       : status == 429 ? "Too Many Requests"
                       : status == 499 ? "Client Closed Request"
                       : status == 503 ? "Service Unavailable"
                                       : "Internal Server Error";
  const Json object = {
      {"code", status}, {"message", error.message}, {"status", std::string(RpcName(error.code))}};
  return fmt::format("{}: {}", phrase, Dump(Json{{"error", object}}));
}

void AddNulls(Json& content) {
  Json* parts = content.is_object() && content.contains("parts") ? &content["parts"] : nullptr;
  if (parts == nullptr || !parts->is_array()) {
    return;
  }
  for (Json& part : *parts) {
    if (part.is_object() && !part.contains("fileData")) {
      part["fileData"] = nullptr;
    }
  }
}

// The request as it comes back.
Json Echo(Json request) {
  if (!request.is_object()) {
    return request;
  }
  if (request.contains("content")) {
    AddNulls(request["content"]);
  }
  if (request.contains("contents") && request["contents"].is_array()) {
    for (Json& content : request["contents"]) {
      AddNulls(content);
    }
  }
  return request;
}

// An instance as the request that means the same.
Json RequestOf(const Json& instance, bool ignores_dimension) {
  Json request = Json::object();
  request["content"]["parts"] = Json::array({{{"text", StringField(instance, "content")}}});
  for (const char* name : {"taskType", "title"}) {
    if (const Json* member = FindField(instance, name)) {
      request[name] = *member;
    }
  }
  const Json* dimension = FindField(instance, "outputDimensionality");
  if (dimension != nullptr && !ignores_dimension) {
    request["outputDimensionality"] = *dimension;
  }
  return request;
}

// {"embeddings": {...}} of a text embedding model.
ApiAnswer Prediction(const Model& model, const Json& instance, bool ignores_dimension) {
  const Json request = RequestOf(instance, ignores_dimension);
  SLUICE_ASSIGN(const std::string answer, AnswerEmbed(model, Dump(request)));
  // The numbers are carried over as text: written anew they would be other bytes.
  const size_t begin = answer.find('[');
  const size_t end = answer.find(']');
  const uint64_t tokens = TokensIn(StringField(instance, "content").size());
  return fmt::format(
      R"({{"embeddings":{{"statistics":{{"token_count":{},"truncated":{}}},"values":{}}}}})",
      tokens, tokens > kPredictionTokensMax, answer.substr(begin, end + 1 - begin));
}

void DropDimension(Json& request) {
  for (const char* config : {"embed_content_config", "embedContentConfig"}) {
    if (request.is_object() && request.contains(config) && request[config].is_object()) {
      request[config].erase("output_dimensionality");
      request[config].erase("outputDimensionality");
    }
  }
}

ApiAnswer Response(const Model& model, Json request, bool ignores_dimension) {
  if (ignores_dimension) {
    DropDimension(request);
  }
  return model.use == ModelUse::kEmbed ? AnswerEmbed(model, Dump(request))
                                       : AnswerGenerate(model, Dump(request));
}

// What the line holds beside the request, each with a comma behind.
std::string Extras(const Json& line, const LineTwist& twist) {
  std::string text;
  for (const auto& [name, value] : line.items()) {
    if (name != "request" && !(twist.no_key && name == "key")) {
      text += fmt::format("{}:{},", Dump(Json(name)), Dump(value));
    }
  }
  return text;
}

void AppendRequestAnswer(const Json& line, const LineTwist& twist, const ApiAnswer& answer,
                         std::string_view time, bool embeds, std::string& out) {
  out += '{';
  out += Extras(line, twist);
  // The page on embeddings shows neither status nor time.
  if (!embeds || !answer.has_value()) {
    out += fmt::format(R"("status":{},"processed_time":"{}",)",
                       Dump(Json(answer.has_value() ? "" : StatusText(answer.error()))), time);
  }
  out += fmt::format("\"request\":{},\"response\":{}}}\n", Dump(Echo(line.at("request"))),
                     answer.value_or("{}"));
}

// Where members go that are no part of an instance is not documented: one key in two stays at the
// top.
void AppendInstanceAnswer(Json line, bool in_table, const LineTwist& twist, const ApiAnswer& answer,
                          std::string& out) {
  std::string top;
  if (twist.no_key) {
    line.erase("key");
  }
  if (in_table) {
    top = Extras(line, twist);
    line = nullptr;
  } else if (line.contains("key") && HashText(Dump(line["key"]), 0) % 2 == 0) {
    top = fmt::format("\"key\":{},", Dump(line["key"]));
    line.erase("key");
  }
  out += fmt::format("{{{}\"instance\":{},\"predictions\":[{}],\"status\":{}}}\n", top, Dump(line),
                     answer.value_or(""),
                     Dump(Json(answer.has_value() ? "" : StatusText(answer.error()))));
}

}  // namespace

bool AppendVertexLine(const Model& model, const VertexLineForm& form, std::string_view line,
                      const LineTwist& twist, std::string_view time, std::string& out) {
  const Json json = ParseJson(line);  // was looked at when the job began
  const bool is_instance = form.kind == VertexModelKind::kTextEmbedding;
  ApiAnswer answer = is_instance ? Prediction(model, json, form.ignores_dimension)
                                 : Response(model, json.at("request"), form.ignores_dimension);
  if (twist.error_code != 0) {
    answer = std::unexpected(ApiError{
        .code = static_cast<RpcCode>(twist.error_code),
        .message = twist.error_message.empty() ? "Deadline exceeded." : twist.error_message});
  }
  is_instance ? AppendInstanceAnswer(json, form.in_table, twist, answer, out)
              : AppendRequestAnswer(json, twist, answer, time, model.use == ModelUse::kEmbed, out);
  return answer.has_value();
}

ApiAnswer AnswerInstance(const Model& model, std::string_view instance, int dimensions) {
  if (model.use != ModelUse::kEmbed) {
    return std::unexpected(NoSuchModel(model.id, "predict"));
  }
  Json json = ParseJson(instance);
  if (dimensions > 0) {
    json["outputDimensionality"] = dimensions;
  }
  SLUICE_ASSIGN(const std::string prediction, Prediction(model, json, false));
  return fmt::format(R"({{"predictions":[{}]}})", prediction);
}

}  // namespace sluice
