#ifndef DEFINES_H_
#define DEFINES_H_

#include "ap_fixed.h"
#include "ap_int.h"
#include "nnet_utils/nnet_types.h"
#include <array>
#include <cstddef>
#include <cstdio>
#include <tuple>
#include <tuple>


// hls-fpga-machine-learning insert numbers

// hls-fpga-machine-learning insert layer-precision
typedef ap_fixed<19,17,AP_TRN,AP_SAT,0> features_t;
typedef ap_ufixed<12,4> dense_1_iq_t;
typedef ap_fixed<18,7> dense_1_accum_t;
typedef ap_fixed<11,7> dense_1_t;
typedef ap_fixed<4,1> dense_1_weight_t;
typedef ap_fixed<14,3> dense_1_bias_t;
typedef ap_uint<1> layer3_index;
typedef ap_ufixed<7,4,AP_RND,AP_SAT,0> dense_1_relu_t;
typedef ap_fixed<18,8> dense_1_relu_table_t;
typedef ap_fixed<13,8> logits_accum_t;
typedef ap_fixed<13,8> result_t;
typedef ap_fixed<4,2> logits_weight_t;
typedef ap_fixed<5,0> logits_bias_t;
typedef ap_uint<1> layer6_index;

// hls-fpga-machine-learning insert emulator-defines


#endif
