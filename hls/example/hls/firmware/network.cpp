#include <iostream>

#include "network.h"
#include "parameters.h"


void network(
    features_t features[13],
    result_t layer6_out[1]
) {

    // hls-fpga-machine-learning insert IO
    #pragma HLS ARRAY_RESHAPE variable=features complete dim=0
    #pragma HLS ARRAY_PARTITION variable=layer6_out complete dim=0
    #pragma HLS INTERFACE ap_vld port=features,layer6_out 
    #pragma HLS PIPELINE

    // hls-fpga-machine-learning insert load weights

    // ****************************************
    // NETWORK INSTANTIATION
    // ****************************************

    // hls-fpga-machine-learning insert layers

    dense_1_iq_t layer2_out[13];
    #pragma HLS ARRAY_PARTITION variable=layer2_out complete dim=0

    dense_1_t layer3_out[5];
    #pragma HLS ARRAY_PARTITION variable=layer3_out complete dim=0

    dense_1_relu_t layer4_out[5];
    #pragma HLS ARRAY_PARTITION variable=layer4_out complete dim=0

    nnet::dense_1_iq<features_t, dense_1_iq_t>(features, layer2_out); // dense_1_iq

    nnet::dense<dense_1_iq_t, dense_1_t, config3>(layer2_out, layer3_out, w3, b3); // dense_1

    nnet::relu<dense_1_t, dense_1_relu_t, relu_config4>(layer3_out, layer4_out); // dense_1_relu

    nnet::dense<dense_1_relu_t, result_t, config6>(layer4_out, layer6_out, w6, b6); // logits

}

