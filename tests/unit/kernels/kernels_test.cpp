// Runs every kernel on odd shapes, in memory of exactly their size, and compares with plain loops in double.
//
// It needs neither Python nor MindSpore, so that it can be compiled for other machines, and with sanitizers.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

typedef int Operator(int, void**, int*, int64_t**, const char**, void*, void*);
extern "C" {
Operator DepthwiseForward, DepthwiseBackward, PointwiseForward, PointwiseBackward, StemForward, StemBackward;
Operator NormActForward, NormActBackward, NormDepthwiseForward, NormDepthwiseBackward;
Operator SqueezeExciteForward, SqueezeExciteBackward, GlobalMeanForward, GlobalMeanBackward;
Operator RMSPropUpdate, SGDUpdate, AdamWUpdate, AverageUpdate;
void SetThreadCount(int);
}

typedef std::vector<int64_t> Shape;

static int failures = 0;

struct Tensor {
  Shape shape;
  std::vector<float> data;

  explicit Tensor(Shape s, double spread = 0) : shape(s) {
    static uint32_t state = 1;
    int64_t size = 1;
    for (int64_t n : shape) size *= n;
    for (int64_t i = 0; i < size; ++i) {
      state = state * 1664525u + 1013904223u;
      data.push_back((float)(spread * ((double)(state >> 8) / (1 << 23) - 1)));
    }
    data.shrink_to_fit();
  }
  float operator[](int64_t i) const { return data[i]; }
};

static void run(const char* name, Operator* kernel, std::vector<Tensor*> tensors) {
  std::vector<void*> data;
  std::vector<int> ranks;
  std::vector<int64_t*> shapes;
  std::vector<const char*> types(tensors.size(), "float32");
  for (Tensor* t : tensors)
    data.push_back(t->data.data()), ranks.push_back((int)t->shape.size()), shapes.push_back(t->shape.data());
  const int fault =
      kernel((int)tensors.size(), data.data(), ranks.data(), shapes.data(), types.data(), nullptr, nullptr);
  if (fault) std::printf("%s: fault %d\n", name, fault), ++failures;
}

static void compare(const char* name, const Tensor& found, const std::vector<double>& expected) {
  double worst = 0, largest = 1;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double error = std::fabs(found.data[i] - expected[i]);
    worst = error > worst || std::isnan(error) ? error : worst;
    largest = std::fmax(largest, std::fabs(expected[i]));
  }
  if (!(worst <= 1e-4 * largest)) std::printf("%s: error %g of %g\n", name, worst, largest), ++failures;
}

// A full convolution of `groups` groups with plain loops: the output, or the gradients of input and weight for `dy`.
struct Convolution {
  int64_t N, I, H, W, O, K, S, groups, OH, OW, top, left;

  Convolution(int64_t N, int64_t I, int64_t H, int64_t W, int64_t O, int64_t K, int64_t S, int64_t groups, bool same)
      : N(N), I(I), H(H), W(W), O(O), K(K), S(S), groups(groups), OH((H + S - 1) / S), OW((W + S - 1) / S) {
    const int64_t rows = (OH - 1) * S + K - H, columns = (OW - 1) * S + K - W;
    top = same ? (rows > 0 ? rows : 0) / 2 : K / 2, left = same ? (columns > 0 ? columns : 0) / 2 : K / 2;
  }
  // Calls f(output, input, weight) for all products.
  template <class F>
  void each(F f) const {
    const int64_t inputs = I / groups, outputs = O / groups;
    for (int64_t n = 0; n < N; ++n)
      for (int64_t o = 0; o < O; ++o)
        for (int64_t i = 0; i < inputs; ++i)
          for (int64_t y = 0; y < OH; ++y)
            for (int64_t x = 0; x < OW; ++x)
              for (int64_t ky = 0; ky < K; ++ky)
                for (int64_t kx = 0; kx < K; ++kx) {
                  const int64_t v = y * S + ky - top, u = x * S + kx - left, channel = o / outputs * inputs + i;
                  if (v < 0 || v >= H || u < 0 || u >= W) continue;
                  f(((n * O + o) * OH + y) * OW + x, ((n * I + channel) * H + v) * W + u,
                    ((o * inputs + i) * K + ky) * K + kx);
                }
  }
  std::vector<double> output(const Tensor& x, const Tensor& w) const {
    std::vector<double> y(N * O * OH * OW);
    each([&](int64_t out, int64_t in, int64_t weight) { y[out] += (double)x[in] * w[weight]; });
    return y;
  }
  std::vector<double> input_gradient(const Tensor& w, const Tensor& dy) const {
    std::vector<double> dx(N * I * H * W);
    each([&](int64_t out, int64_t in, int64_t weight) { dx[in] += (double)dy[out] * w[weight]; });
    return dx;
  }
  std::vector<double> weight_gradient(const Tensor& x, const Tensor& dy) const {
    std::vector<double> dw(O * I / groups * K * K);
    each([&](int64_t out, int64_t in, int64_t weight) { dw[weight] += (double)dy[out] * x[in]; });
    return dw;
  }
};

static Tensor settings(std::vector<float> numbers) {
  Tensor t({(int64_t)numbers.size()});
  t.data = numbers;
  return t;
}

static double silu(double v) { return v / (1 + std::exp(-v)); }

static void convolutions(int64_t N, int64_t C, int64_t H, int64_t W, int64_t K, int64_t S, bool same) {
  Tensor x({N, C, H, W}, 1), how = settings({(float)S, (float)same});
  {
    const Convolution plain(N, C, H, W, C, K, S, C, same);
    Tensor w({C, 1, K, K}, 1), y({N, C, plain.OH, plain.OW}), dy(y.shape, 1), dx(x.shape), dw(w.shape);
    run("DepthwiseForward", DepthwiseForward, {&x, &w, &how, &y});
    compare("DepthwiseForward", y, plain.output(x, w));
    run("DepthwiseBackward", DepthwiseBackward, {&x, &w, &how, &dy, &dx, &dw});
    compare("DepthwiseBackward x", dx, plain.input_gradient(w, dy));
    compare("DepthwiseBackward w", dw, plain.weight_gradient(x, dy));
  }
  {
    const int64_t O = C + 2;
    const Convolution plain(N, C, H, W, O, K, S, 1, same);
    Tensor w({O, C, K, K}, 1), y({N, O, plain.OH, plain.OW}), dy(y.shape, 1), dw(w.shape);
    run("StemForward", StemForward, {&x, &w, &how, &y});
    compare("StemForward", y, plain.output(x, w));
    run("StemBackward", StemBackward, {&x, &w, &how, &dy, &dw});
    compare("StemBackward", dw, plain.weight_gradient(x, dy));
  }
}

static void pointwise(int64_t N, int64_t I, int64_t H, int64_t W, int64_t O) {
  const Convolution plain(N, I, H, W, O, 1, 1, 1, false);
  Tensor x({N, I, H, W}, 1), w({O, I, 1, 1}, 1), y({N, O, H, W}), dy(y.shape, 1), dx(x.shape), dw(w.shape);
  run("PointwiseForward", PointwiseForward, {&x, &w, &y});
  compare("PointwiseForward", y, plain.output(x, w));
  run("PointwiseBackward", PointwiseBackward, {&x, &w, &dy, &dx, &dw});
  compare("PointwiseBackward x", dx, plain.input_gradient(w, dy));
  compare("PointwiseBackward w", dw, plain.weight_gradient(x, dy));
}

// The middle of a block must be its three parts, whose forward values are compared with plain loops.
static void norms(int64_t N, int64_t C, int64_t H, int64_t W, int64_t K, int64_t S) {
  const Convolution plain(N, C, H, W, C, K, S, C, false);
  const int64_t P = H * W;
  Tensor x({N, C, H, W}, 2), gamma({C}, 1), beta({C}, 1), mean({C}), variance({C}), statistics({2, C}), y(x.shape);
  Tensor how = settings({0.9f, 1e-3f, 1, 2});
  run("NormActForward", NormActForward, {&x, &gamma, &beta, &mean, &variance, &how, &y, &statistics});
  std::vector<double> expected(N * C * P);
  for (int64_t c = 0; c < C; ++c) {
    double total = 0, squares = 0;
    for (int64_t n = 0; n < N; ++n)
      for (int64_t p = 0; p < P; ++p) total += x[(n * C + c) * P + p];
    total /= N * P;
    for (int64_t n = 0; n < N; ++n)
      for (int64_t p = 0; p < P; ++p) squares += std::pow(x[(n * C + c) * P + p] - total, 2);
    const double deviation = std::sqrt(squares / (N * P) + 1e-3);
    for (int64_t n = 0; n < N; ++n)
      for (int64_t p = 0; p < P; ++p) {
        const int64_t at = (n * C + c) * P + p;
        expected[at] = silu((x[at] - total) / deviation * gamma[c] + beta[c]);
      }
  }
  compare("NormActForward", y, expected);

  Tensor w({C, 1, K, K}, 1), stride = settings({(float)S, 0}), middle({N, C, plain.OH, plain.OW}), last(middle.shape);
  Tensor statistics2({2, C}), dy(middle.shape, 1), dmiddle(middle.shape), dactive(x.shape), dx(x.shape), dw(w.shape);
  Tensor dgamma1({C}), dbeta1({C}), dgamma2({C}), dbeta2({C});
  run("DepthwiseForward", DepthwiseForward, {&y, &w, &stride, &middle});
  run("NormActForward", NormActForward, {&middle, &gamma, &beta, &mean, &variance, &how, &last, &statistics2});
  run("NormActBackward", NormActBackward,
      {&middle, &gamma, &beta, &statistics2, &how, &dy, &dmiddle, &dgamma2, &dbeta2});
  run("DepthwiseBackward", DepthwiseBackward, {&y, &w, &stride, &dmiddle, &dactive, &dw});
  run("NormActBackward", NormActBackward, {&x, &gamma, &beta, &statistics, &how, &dactive, &dx, &dgamma1, &dbeta1});

  Tensor both = settings({0.9f, 1e-3f, 1, 2, 0.9f, 1e-3f, 1, 2, (float)S, 0});
  Tensor mean2({C}), variance2({C}), again(last.shape), kept(last.shape), s1({2, C}), s2({2, C});
  Tensor dx2(x.shape), g1({C}), b1({C}), dw2(w.shape), g2({C}), b2({C});
  run("NormDepthwiseForward", NormDepthwiseForward,
      {&x, &gamma, &beta, &mean, &variance, &w, &gamma, &beta, &mean2, &variance2, &both, &again, &kept, &s1, &s2});
  run("NormDepthwiseBackward", NormDepthwiseBackward,
      {&x, &gamma, &beta, &w, &gamma, &beta, &both, &kept, &s1, &s2, &dy, &dx2, &g1, &b1, &dw2, &g2, &b2});
  const auto same = [](const char* name, const Tensor& found, const Tensor& other) {
    compare(name, found, std::vector<double>(other.data.begin(), other.data.end()));
  };
  same("NormDepthwiseForward", again, last);
  same("NormDepthwiseBackward x", dx2, dx);
  same("NormDepthwiseBackward w", dw2, dw);
  same("NormDepthwiseBackward gamma", g1, dgamma1);
  same("NormDepthwiseBackward beta", b2, dbeta2);
}

static void others(int64_t N, int64_t C, int64_t R, int64_t H, int64_t W) {
  const int64_t P = H * W;
  Tensor x({N, C, H, W}, 1), w1({R, C, 1, 1}, 1), b1({R}, 1), w2({C, R, 1, 1}, 1), b2({C}, 1), how = settings({2, 4});
  Tensor y(x.shape), means({N, C}), inner({N, R}), outer({N, C}), dx(x.shape), dw1(w1.shape), db1({R}), dw2(w2.shape);
  Tensor db2({C}), pooled({N, C}), spread(x.shape);
  run("SqueezeExciteForward", SqueezeExciteForward, {&x, &w1, &b1, &w2, &b2, &how, &y, &means, &inner, &outer});
  run("SqueezeExciteBackward", SqueezeExciteBackward,
      {&x, &w1, &w2, &how, &means, &inner, &outer, &y, &dx, &dw1, &db1, &dw2, &db2});
  run("GlobalMeanForward", GlobalMeanForward, {&x, &pooled});
  run("GlobalMeanBackward", GlobalMeanBackward, {&x, &pooled, &spread});
  std::vector<double> expected(N * C * P), mean(N * C);
  for (int64_t n = 0; n < N; ++n) {
    std::vector<double> hidden(R);
    for (int64_t c = 0; c < C; ++c)
      for (int64_t p = 0; p < P; ++p) mean[n * C + c] += (double)x[(n * C + c) * P + p] / P;
    for (int64_t r = 0; r < R; ++r) {
      double v = b1[r];
      for (int64_t c = 0; c < C; ++c) v += mean[n * C + c] * w1[r * C + c];
      hidden[r] = silu(v);
    }
    for (int64_t c = 0; c < C; ++c) {
      double v = b2[c];
      for (int64_t r = 0; r < R; ++r) v += hidden[r] * w2[c * R + r];
      for (int64_t p = 0; p < P; ++p) expected[(n * C + c) * P + p] = x[(n * C + c) * P + p] / (1 + std::exp(-v));
    }
  }
  compare("SqueezeExciteForward", y, expected);
  compare("GlobalMeanForward", pooled, mean);

  Tensor weight({C}, 1), square({C}), moment({C}), slope({C}, 1), decay = settings({0.01f}), done({1});
  const Tensor begin = weight, zero = moment;
  Tensor rmsprop = settings({0.1f, 0.9f, 0.8f, 1e-3f}), sgd = settings({0.1f, 0.5f, 1});
  Tensor adamw = settings({0.1f, 0.1f, 0.01f, 0.9f, 0.99f, 1e-3f}), rate = settings({0.25f}), average({C});
  const auto moved = [&](auto change) {
    std::vector<double> values(C);
    for (int64_t c = 0; c < C; ++c) values[c] = begin[c] - 0.1 * change(begin[c], slope[c]);
    return values;
  };
  run("SGDUpdate", SGDUpdate, {&sgd, &decay, &weight, &moment, &slope, &done});
  compare("SGDUpdate", weight, moved([](double w, double g) { return 1.5 * (g + 0.01 * w); }));
  weight = begin, moment = zero;
  run("AdamWUpdate", AdamWUpdate, {&adamw, &decay, &weight, &moment, &square, &slope, &done});
  compare("AdamWUpdate", weight, moved([](double w, double g) { return g / (std::abs(g) + 1e-3) + 0.01 * w; }));
  weight = begin, moment = zero, square = zero;
  run("RMSPropUpdate", RMSPropUpdate, {&rmsprop, &decay, &weight, &square, &moment, &slope, &done});
  std::vector<double> expected_weight = moved([](double w, double g) {
    g += 0.01 * w;
    return g / std::sqrt(0.1 * g * g + 1e-3);
  });
  compare("RMSPropUpdate", weight, expected_weight);
  run("AverageUpdate", AverageUpdate, {&rate, &average, &weight, &done});
  for (double& value : expected_weight) value *= 0.25;
  compare("AverageUpdate", average, expected_weight);
}

int main() {
  for (int threads : {1, 3}) {
    SetThreadCount(threads);
    for (int64_t K : {3, 5, 7})
      for (int64_t S : {1, 2})
        for (bool same : {false, true}) {
          convolutions(2, 3, 9, 17, K, S, same);
          convolutions(1, 1, 1, 1, K, S, same);
          convolutions(1, 2, 6, 33, K, S, same);
        }
    for (int64_t K : {3, 5})
      for (int64_t S : {1, 2}) norms(3, 5, 7, 19, K, S), norms(2, 2, 1, 2, K, S);
    norms(2, 3, 40, 40, 3, 2);                           // worth several threads
    norms(2, 33, 4, 5, 7, 1), norms(3, 20, 6, 6, 7, 2);  // whole and odd panels of channels
    pointwise(1, 1, 1, 1, 1), pointwise(3, 17, 3, 5, 9), pointwise(2, 50, 7, 7, 33), pointwise(40, 3, 1, 1, 20);
    pointwise(2, 20, 30, 31, 70);
    others(1, 1, 1, 1, 1), others(3, 37, 5, 6, 7), others(2, 20, 3, 40, 41);
  }
  if (failures == 0) std::puts("all kernels are right");
  return failures ? 1 : 0;
}
