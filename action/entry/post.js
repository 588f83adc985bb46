'use strict'
require('./start')('post')
