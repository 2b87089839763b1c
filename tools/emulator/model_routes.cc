#include "tools/emulator/model_routes.h"

#include <fmt/format.h>

namespace sluice {

namespace {

using Answerer = ApiAnswer (*)(const Model& model, std::string_view body);

RouteAnswer AnswerAtOnce(Service& service, Call& call, std::string_view method, Answerer answer) {
  const ApiAnswer body = ReadSmallBody(service, call.exchange);
  if (!body.has_value()) {
    return body;
  }
  const Model* model = FindModel(call.id);
  if (model == nullptr) {
    return std::unexpected(NoSuchModel(call.id, method));
  }
  return answer(*model, *body);
}

}  // namespace

RouteAnswer ListModels(Service& /*service*/, Call& /*call*/) {
  std::string list;
  for (const Model& model : Models()) {
    list += list.empty() ? "" : ",";
    list += ModelText(model);
  }
  return fmt::format("{{\"models\":[{}]}}", list);
}

RouteAnswer GetModel(Service& /*service*/, Call& call) {
  const Model* model = FindModel(call.id);
  if (model == nullptr) {
    return std::unexpected(NoSuchModel(call.id, "getModel"));
  }
  return ModelText(*model);
}

RouteAnswer EmbedContent(Service& service, Call& call) {
  return AnswerAtOnce(service, call, "embedContent", AnswerEmbed);
}

RouteAnswer BatchEmbedContents(Service& service, Call& call) {
  return AnswerAtOnce(service, call, "batchEmbedContents", AnswerBatchEmbed);
}

RouteAnswer GenerateContent(Service& service, Call& call) {
  return AnswerAtOnce(service, call, "generateContent", AnswerGenerate);
}

RouteAnswer CountTokens(Service& service, Call& call) {
  return AnswerAtOnce(service, call, "countTokens", AnswerCountTokens);
}

}  // namespace sluice
