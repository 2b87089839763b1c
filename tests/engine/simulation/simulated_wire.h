// SimulatedWire: a Transport behind which there is no network but a SimulatedService, so that the
// real provider of a service runs in the simulation. This class is the network, and breaks
// exchanges as networks and gateways do; a subclass is the service's side of the wire. It outlives
// the processes of a run, as the service does. One thread.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "api/http/transport.h"
#include "api/provider/provider.h"
#include "tests/engine/simulation/simulated_service.h"

namespace sluice {

// A request as the service reads it.
struct WireRequest {
  std::string method, path;                    // of the address, unescaped
  std::map<std::string, std::string> query;    // unescaped
  std::map<std::string, std::string> headers;  // names lower-cased
  std::string body;
  bool is_repeat = false;    // the network sends it once more by itself
  bool is_download = false;  // the answer goes to a writer

  // Empty when it is not there.
  [[nodiscard]] std::string Query(const std::string& name) const;
  [[nodiscard]] std::string Header(const std::string& name) const;
};

// RFC 3339, of the service's own clock, which never jumps.
[[nodiscard]] std::string Timestamp(MonotonicTime time);

class SimulatedWire : public Transport {
 public:
  // Both must outlive the wire.
  SimulatedWire(SimulatedService& service, SimulatedClock& clock)
      : service_(service), clock_(clock) {}

  // The provider whose requests come here; each process of a run has one of its own.
  [[nodiscard]] virtual Result<std::unique_ptr<Provider>> MakeProvider() = 0;

  [[nodiscard]] Result<HttpResponse> Send(const HttpRequest& request) final;

 protected:
  // Does what a request asks, and says so. What goes wrong on the way is not its business.
  [[nodiscard]] virtual HttpResponse Answer(const WireRequest& request) = 0;
  [[nodiscard]] virtual bool MakesJob(const WireRequest& request) const = 0;
  // A refusal of the service's own to make a job, now and then; nothing: it makes it.
  [[nodiscard]] virtual std::optional<HttpResponse> RefusalToMakeJob() { return std::nullopt; }
  // Whether a download that is cut, and says so nowhere, can be known by a checksum.
  [[nodiscard]] virtual bool HasChecksums() const = 0;

  [[nodiscard]] static HttpResponse Text(std::string body);
  // {"error": {...}} as Google's services write it.
  [[nodiscard]] static HttpResponse Refusal(int http_status, std::string_view status,
                                            std::string_view message);
  // What providers of the simulation have in common. Waits between tries are drawn from no seed,
  // so there are none: time passes on the wire.
  [[nodiscard]] static ProviderOptions CommonOptions();
  // The part of a body that a Range header asks for.
  [[nodiscard]] static HttpResponse Part(const WireRequest& request, std::string body);

  SimulatedService& service_;
  SimulatedClock& clock_;

 private:
  void DeliverLate();
  [[nodiscard]] Result<HttpResponse> SendCreate(const WireRequest& request);
  [[nodiscard]] Result<HttpResponse> SendOther(const WireRequest& request, bool is_upload);
  [[nodiscard]] Result<HttpResponse> Broken(const WireRequest& request, bool is_upload);
  [[nodiscard]] HttpResponse Unwilling();
  [[nodiscard]] Result<HttpResponse> Lost(const WireRequest& request, const HttpResponse& answer);
  [[nodiscard]] Result<HttpResponse> Deliver(const HttpRequest& request, HttpResponse answer);
  void ComesLate(const WireRequest& request, std::chrono::seconds within);
  void ComesTwice(WireRequest request);

  std::multimap<MonotonicTime, WireRequest> late_;
  std::string other_answer_;  // to an earlier request that made a job
};

}  // namespace sluice
