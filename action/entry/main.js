'use strict'
require('./start')('main')
