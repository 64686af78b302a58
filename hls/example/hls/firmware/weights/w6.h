//Numpy array shape [5, 1]
//Min -2.000000000000
//Max 1.750000000000
//Number of zeros 0

#ifndef W6_H_
#define W6_H_

logits_weight_t w6[5] = {0.25, 1.75, -1.25, -1.75, -2.00};


#endif
