// A book from bytes. Any bytes make one that the edge would let pass, so that what fails in the
// core is the core's fault. fuzz/books.py writes the same format.
//
//   options      1 byte    bit 0 allocation by time, 1 no presolve, 2 certificate,
//                          3 second run with two threads, 4 and 5 tolerance 10^-(8, 6, 4, 10)
//   states       1 byte    N = 1 + byte % 8
//   claims       1 byte    K = 1 + byte % 6
//   orders       1 byte    J = byte % 49
//   node limit   1 byte    1 + byte % 64
//   risk_aversion, ambiguity, prior weights (N), inventory (N), payoffs (K rows of N)    numbers
//   orders (J times): claim 1 byte (mod K), side 1 byte (even: buy), price, quantity, time: numbers
//   cell (K times)  1 byte    piece = byte % pieces, for solve_cell
//
// A number is a byte. From 0xF0 on, a little-endian double follows, moved into the range of the
// field; other bytes pick from a short list, so that ties, kinks and edges are common. After the
// last byte there are only zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kpm/kpm.hpp"

namespace fuzz {

/// Bytes, one after the other; zeros when they have run out.
class Reader {
 public:
  Reader(const std::uint8_t* data, std::size_t size) : next_(data), left_(size) {}

  std::uint8_t byte();

  /// A little-endian double, zero for a NaN.
  double number();

 private:
  const std::uint8_t* next_;
  std::size_t left_;
};

/// A book that owns its arrays, and how it is to be cleared.
struct Book {
  Book(const std::uint8_t* data, std::size_t size);

  kpm::Market market() const;
  kpm::Orders orders() const;
  kpm::ClearSettings settings() const;

  int states = 1;
  int claims = 1;
  double risk_aversion = 1.0;
  double ambiguity = 0.0;
  std::vector<double> prior, inventory, payoffs;
  std::vector<std::int64_t> claim;
  std::vector<std::int8_t> side;
  std::vector<double> price, quantity, time;
  std::vector<std::uint8_t> cell;  ///< modulo the pieces of each claim
  double tolerance = 1e-8;
  std::int64_t node_limit = 1;
  bool by_time = false;
  bool presolve = true;
  bool certificate = false;
  bool two_threads = false;

 private:
  void read_maker(Reader& reader);
  void read_payoffs(Reader& reader);
  void read_orders(Reader& reader, int count);
};

}  // namespace fuzz
